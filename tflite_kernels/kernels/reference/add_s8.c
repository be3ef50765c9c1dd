// ADD, int8: both inputs to a common scale of 20 more bits, then to the output's.
#include "spk/kernels_s8.h"
#include "spk/requantize_s8.h"

// x * multiplier * 2^(shift - 31) rounded twice, |x| < 2^30, shift <= 0. TFLite's shifts
// here are never positive.
SPK_INLINE int32_t scaled(int32_t twice_x, int32_t multiplier, int32_t shift) {
  const int32_t x = spk_high_mul(twice_x, multiplier);
  return shift == 0 ? x : (((x + (x >> 31)) >> (-shift - 1)) + 1) >> 1;
}

// `p` is a copy: the compiler need not fear that a store changes it.
static void add_run(const spk_add p, const int8_t *a, const int8_t *b, int8_t *output) {
  const int32_t left = p.left_shift + 1;
  for (int32_t i = 0; i < p.b_period; ++i) {
    const int32_t x = scaled((a[i] + p.a_offset) * (1 << left), p.a_multiplier, p.a_shift);
    const int32_t y = scaled((b[i] + p.b_offset) * (1 << left), p.b_multiplier, p.b_shift);
    const int32_t sum = scaled(2 * (x + y), p.output_multiplier, p.output_shift);
    output[i] = (int8_t)spk_clamp(sum + p.output_offset, p.act_min, p.act_max);
  }
}

void spk_add_s8__ref(const spk_add *p, const int8_t *a, const int8_t *b, int8_t *output) {
  for (int32_t at = 0; at < p->size; at += p->b_period) add_run(*p, a + at, b, output + at);
}
