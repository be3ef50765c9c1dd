// MUL, int16.
#include "spk/elementwise_s16.h"
#include "spk/requantize_s8.h"

void spk_mul_s16__ref(const spk_mul *p, const int16_t *a, const int16_t *b, int16_t *output) {
  for (int32_t at = 0; at < p->size; at += p->period) {
    for (int32_t i = 0; i < p->period; ++i) {
      const int32_t scaled = spk_multiply(a[at + i] * b[i], p->multiplier, p->shift);
      output[at + i] = (int16_t)spk_clamp(scaled, p->act_min, p->act_max);
    }
  }
}
