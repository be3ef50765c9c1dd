// MUL, int8.
#include "spk/kernels_s8.h"
#include "spk/requantize_s8.h"

// `p` is a copy: the compiler need not fear that a store changes it.
static void mul_run(const spk_mul p, const int8_t *a, const int8_t *b, int8_t *output) {
  for (int32_t i = 0; i < p.period; ++i) {
    const int32_t product = (a[i] + p.a_offset) * (b[i] + p.b_offset);
    const int32_t scaled = spk_multiply(product, p.multiplier, p.shift);
    output[i] = (int8_t)spk_clamp(scaled + p.output_offset, p.act_min, p.act_max);
  }
}

void spk_mul_s8__ref(const spk_mul *p, const int8_t *a, const int8_t *b, int8_t *output) {
  for (int32_t at = 0; at < p->size; at += p->period) mul_run(*p, a + at, b, output + at);
}
