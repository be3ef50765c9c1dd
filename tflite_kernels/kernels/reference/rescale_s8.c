// RELU, RELU6 and QUANTIZE int8 -> int8: from one scale to another, then a clamp.
#include "spk/kernels_s8.h"
#include "spk/requantize_s8.h"

void spk_rescale_s8__ref(const spk_rescale *p, const int8_t *input, int8_t *output) {
  for (int32_t i = 0; i < p->size; ++i) {
    const int32_t scaled =
        spk_multiply(input[i] - p->input_zero_point, p->multiplier, p->shift);
    output[i] = (int8_t)spk_clamp(scaled + p->output_zero_point, p->act_min, p->act_max);
  }
}
