// SQUARED_DIFFERENCE, int8: both inputs to a common scale of 7 more bits.
#include "spk/elementwise_s8.h"
#include "spk/requantize_s8.h"

enum { LEFT = 1 << 7 };

void spk_squared_difference_s8__ref(const spk_squared_difference *p, const int8_t *a,
                                    const int8_t *b, int8_t *output) {
  for (int32_t i = 0; i < p->size; ++i) {
    const int32_t from_a = (a[i] + p->a_offset) * LEFT;
    const int32_t from_b = (b[i % p->period] + p->b_offset) * LEFT;
    const int32_t difference = spk_multiply(from_a, p->a_multiplier, p->a_shift) -
                               spk_multiply(from_b, p->b_multiplier, p->b_shift);
    const int32_t square = difference * difference;  // below 2^30
    const int32_t scaled = spk_multiply(square, p->multiplier, p->shift) + p->output_offset;
    output[i] = (int8_t)spk_clamp(scaled, INT8_MIN, INT8_MAX);
  }
}
