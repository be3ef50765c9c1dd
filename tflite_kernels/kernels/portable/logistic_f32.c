// LOGISTIC, float32.
#include "spk/exp_f32.h"
#include "spk/operators_f32.h"

void spk_logistic_f32__c(int32_t size, const float *input, float *output) {
  for (int32_t i = 0; i < size; ++i) output[i] = 1.0f / (1.0f + spk_exp_f32(-input[i]));
}
