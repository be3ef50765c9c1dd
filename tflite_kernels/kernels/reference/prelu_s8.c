// PRELU, int8.
#include "spk/kernels_s8.h"
#include "spk/requantize_s8.h"

static void prelu_run(const spk_prelu p, const int8_t *a, const int8_t *alpha, int8_t *output) {
  for (int32_t i = 0; i < p.period; ++i) {
    const int32_t x = a[i] + p.a_offset;
    const int32_t scaled = x >= 0 ? spk_multiply(x, p.multiplier, p.shift)
                                  : spk_multiply(x * (alpha[i] + p.alpha_offset),
                                                 p.alpha_multiplier, p.alpha_shift);
    output[i] = (int8_t)spk_clamp(scaled + p.output_offset, INT8_MIN, INT8_MAX);
  }
}

void spk_prelu_s8__ref(const spk_prelu *p, const int8_t *a, const int8_t *alpha,
                       int8_t *output) {
  for (int32_t at = 0; at < p->size; at += p->period) prelu_run(*p, a + at, alpha, output + at);
}
