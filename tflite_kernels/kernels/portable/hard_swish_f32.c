// HARD_SWISH, float32: x * relu6(x + 3) / 6.
#include "spk/operators_f32.h"

void spk_hard_swish_f32__c(int32_t size, const float *input, float *output) {
  for (int32_t i = 0; i < size; ++i) {
    const float x = input[i], gate = x + 3.0f;
    output[i] = x * (gate < 0.0f ? 0.0f : gate > 6.0f ? 6.0f : gate) / 6.0f;
  }
}
