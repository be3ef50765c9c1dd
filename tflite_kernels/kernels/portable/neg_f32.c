// NEG, float32.
#include "spk/operators_f32.h"

void spk_neg_f32__c(int32_t size, const float *input, float *output) {
  for (int32_t i = 0; i < size; ++i) output[i] = -input[i];
}
