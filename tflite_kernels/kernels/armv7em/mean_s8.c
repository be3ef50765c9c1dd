// MEAN, int8, for Cortex-M4, M7 and M33: the sums of four channels at a time.
#include "spk/kernels_s8.h"
#include "spk/sum_pixels_s8.h"

#if SPK_ARMV7EM

#include "spk/requantize_s8.h"

SPK_INLINE int8_t of(const spk_mean *m, int32_t sum) {
  const int32_t bias = -m->input_zero_point * m->reduced;
  const int32_t scaled = spk_multiply(sum + bias, m->multiplier, m->shift);
  return (int8_t)spk_clamp(scaled + m->output_zero_point, INT8_MIN, INT8_MAX);
}

void spk_mean_s8__armv7em(const spk_mean *m, const int8_t *input, int8_t *output) {
  const int32_t inner = m->inner;
  for (int32_t o = 0; o < m->outer; ++o, input += (ptrdiff_t)m->reduced * inner) {
    int32_t c = 0;
    for (; c + 4 <= inner; c += 4) {
      int32_t sum[4] = {0};
      for (int32_t r = 0; r < m->reduced; r += SPK_SUM_RUN) {
        const int32_t left = m->reduced - r;
        spk_sum_four_s8(input + c + (ptrdiff_t)r * inner, 1, 0,
                        left < SPK_SUM_RUN ? left : SPK_SUM_RUN, inner, sum);
      }
      for (int32_t i = 0; i < 4; ++i) *output++ = of(m, sum[i]);
    }
    for (; c < inner; ++c)
      *output++ = of(m, spk_sum_one_s8(input + c, 1, 0, m->reduced, inner));
  }
}

#else

void spk_mean_s8__armv7em(const spk_mean *m, const int8_t *input, int8_t *output) {
  spk_mean_s8__ref(m, input, output);
}

#endif
