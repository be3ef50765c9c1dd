// RELU, RELU6 and their like, float32. NaN stays.
#include "spk/operators_f32.h"

void spk_clamp_f32__c(int32_t size, float low, float high, const float *input, float *output) {
  for (int32_t i = 0; i < size; ++i) {
    output[i] = input[i] < low ? low : input[i] > high ? high : input[i];
  }
}
