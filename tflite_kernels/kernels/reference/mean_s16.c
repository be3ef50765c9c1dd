// MEAN, int16, over the middle axis of (outer, reduced, inner).
//
// `multiplier` and `shift` already hold 1 / reduced, folded in as TFLite does.
#include "spk/elementwise_s16.h"
#include "spk/requantize_s8.h"

void spk_mean_s16__ref(const spk_mean *m, const int16_t *input, int16_t *output) {
  const int32_t bias = -m->input_zero_point * m->reduced;
  for (int32_t o = 0; o < m->outer; ++o) {
    for (int32_t i = 0; i < m->inner; ++i) {
      int32_t sum = bias;
      for (int32_t r = 0; r < m->reduced; ++r) sum += input[(ptrdiff_t)r * m->inner + i];
      const int32_t scaled = spk_multiply(sum, m->multiplier, m->shift);
      *output++ = (int16_t)spk_clamp(scaled + m->output_zero_point, INT16_MIN, INT16_MAX);
    }
    input += (ptrdiff_t)m->reduced * m->inner;
  }
}
