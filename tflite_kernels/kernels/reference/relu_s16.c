// RELU, RELU6 and their like, int16.
#include "spk/elementwise_s16.h"
#include "spk/requantize_s8.h"

void spk_relu_s16__ref(const spk_relu_s16 *p, const int16_t *input, int16_t *output) {
  for (int32_t i = 0; i < p->size; ++i) {
    const int32_t scaled = spk_multiply(input[i], p->multiplier, p->shift);
    output[i] = (int16_t)spk_clamp(scaled, p->act_min, p->act_max);
  }
}
