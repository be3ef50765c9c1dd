// SOFTMAX, int16: exponentials and the reciprocal of their sum come from tables.
#include "spk/elementwise_s16.h"
#include "spk/requantize_s8.h"

// Between two of the 513 values of a table over all of int16.
static int32_t between(const int16_t *table, int32_t x) {
  const int32_t place = 256 + (x >> 7), offset = x & 127;
  const int32_t slope = table[place + 1] - table[place];
  return table[place] + ((slope * offset + 64) >> 7);
}

static int32_t leading_zeros(uint32_t x) {
  int32_t count = 0;
  for (; x < 0x80000000u; x <<= 1) ++count;
  return count;
}

static void one_row(const spk_softmax_s16 *p, const int16_t *input, int16_t *output) {
  int32_t highest = INT16_MIN, sum = 0;
  for (int32_t c = 0; c < p->depth; ++c) highest = input[c] > highest ? input[c] : highest;
  for (int32_t c = 0; c < p->depth; ++c) {
    const int32_t scaled = spk_multiply(input[c] - highest, p->multiplier, p->shift);
    const int32_t place = spk_clamp(scaled, -65535, 0) + INT16_MAX;
    output[c] = (int16_t)between(p->exponential, place);
    sum += output[c];
  }
  // The sum is 1 + x times a power of two.
  const int32_t zeros = leading_zeros((uint32_t)sum);
  const int64_t shifted = (((int64_t)sum << (zeros - 1)) + (1 << 13)) >> 14;
  const int32_t x = spk_clamp((int32_t)shifted - (1 << 15) - (1 << 16), INT16_MIN, INT16_MAX);
  const int32_t reciprocal = between(p->reciprocal, x), right = 31 - zeros;
  for (int32_t c = 0; c < p->depth; ++c) {
    const int32_t product = output[c] * reciprocal;  // at most 2^30
    output[c] = (int16_t)spk_clamp((product + (1 << (right - 1))) >> right, 0, INT16_MAX);
  }
}

void spk_softmax_s16__ref(const spk_softmax_s16 *p, const int16_t *input, int16_t *output) {
  for (int32_t r = 0; r < p->rows; ++r, input += p->depth, output += p->depth) {
    one_row(p, input, output);
  }
}
