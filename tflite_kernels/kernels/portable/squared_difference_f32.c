// SQUARED_DIFFERENCE, float32.
#include "spk/operators_f32.h"

void spk_squared_difference_f32__c(const spk_pair_f32 *p, const float *a, const float *b,
                                   float *output) {
  for (int32_t at = 0; at < p->size; at += p->period) {
    for (int32_t i = 0; i < p->period; ++i) {
      const float x = a[at + i] - b[i];
      output[at + i] = x * x;
    }
  }
}
