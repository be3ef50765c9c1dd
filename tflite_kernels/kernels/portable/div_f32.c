// DIV, float32; a_sign is negative where the operands are swapped.
#include "spk/operators_f32.h"

void spk_div_f32__c(const spk_pair_f32 *p, const float *a, const float *b, float *output) {
  for (int32_t at = 0; at < p->size; at += p->period) {
    for (int32_t i = 0; i < p->period; ++i) {
      const float x = p->a_sign > 0.0f ? a[at + i] / b[i] : b[i] / a[at + i];
      output[at + i] = x < p->act_min ? p->act_min : x > p->act_max ? p->act_max : x;
    }
  }
}
