// ADD, int16: both inputs to a common scale of 15 more bits, then to the output's.
#include "spk/elementwise_s16.h"
#include "spk/requantize_s8.h"

void spk_add_s16__ref(const spk_add *p, const int16_t *a, const int16_t *b, int16_t *output) {
  const int32_t unit = 1 << p->left_shift;
  for (int32_t at = 0; at < p->size; at += p->b_period) {
    for (int32_t i = 0; i < p->b_period; ++i) {
      const int32_t x = spk_multiply(a[at + i] * unit, p->a_multiplier, p->a_shift);
      const int32_t y = spk_multiply(b[i] * unit, p->b_multiplier, p->b_shift);
      const int32_t sum = spk_multiply(x + y, p->output_multiplier, p->output_shift);
      output[at + i] = (int16_t)spk_clamp(sum, p->act_min, p->act_max);
    }
  }
}
