// LOGISTIC and TANH, int16, by one table: tanh(x) = 2 / (1 + e^(-2 x)) - 1.
#include "spk/elementwise_s16.h"

// An input in steps of 1 / 12288.
static int32_t in_steps(const spk_logistic_curve_s16 *p, int16_t input) {
  const int32_t half = p->right > 0 ? 1 << (p->right - 1) : 0;
  return (input * p->multiplier + half) >> p->right;
}

// Between two values of the table that are 2^bits steps apart, times 2^bits.
static uint32_t between(const uint16_t *table, uint32_t steps, uint32_t bits, uint32_t most) {
  const uint32_t place = steps >> bits;
  if (place >= 255) return most << bits;
  const uint32_t low = table[place], high = table[place + 1];
  return (low << bits) + (steps & ((1u << bits) - 1)) * (high - low);
}

void spk_logistic_s16__ref(const spk_logistic_curve_s16 *p, const int16_t *input,
                           int16_t *output) {
  for (int32_t i = 0; i < p->size; ++i) {
    const int32_t x = in_steps(p, input[i]);
    const uint32_t size = (uint32_t)(x < 0 ? -x : x);
    const uint32_t y = between(p->table, size, 9, 0xFFFE);
    const uint32_t value = x >= 0 ? y + (1 << 9) : (1u << 25) - y + (1 << 9) - 1;
    output[i] = (int16_t)(value >> 10);
  }
}

void spk_tanh_s16__ref(const spk_logistic_curve_s16 *p, const int16_t *input, int16_t *output) {
  for (int32_t i = 0; i < p->size; ++i) {
    const int32_t x = in_steps(p, input[i]);
    const uint32_t size = (uint32_t)(x < 0 ? -x : x);
    const int32_t y = (int32_t)between(p->table, size, 8, 0xFFFF);
    const int32_t half = 1 << 23, round = 1 << 7;
    const int32_t value = x >= 0 ? y - half + round : half - y + round - 1;
    output[i] = (int16_t)(value >> 8);
  }
}
