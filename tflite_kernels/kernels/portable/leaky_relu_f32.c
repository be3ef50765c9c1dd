// LEAKY_RELU, float32.
#include "spk/operators_f32.h"

void spk_leaky_relu_f32__c(int32_t size, float alpha, const float *input, float *output) {
  for (int32_t i = 0; i < size; ++i) output[i] = input[i] > 0.0f ? input[i] : input[i] * alpha;
}
