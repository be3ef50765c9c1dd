// The sums of conv2d_s8_dense_template.h from products of four inputs and four rows. The
// including file defines TARGET, PIXELS, SUM, START(first), DOT_LANE(sum, x, weights, lane),
// TOTAL(sum) and NAME(x).
#include <arm_neon.h>
#include <string.h>

#define WIDTH 4

// sum[2 p], sum[2 p + 1] += four inputs of x[p] * weights[8][4]
#define ADD_INPUTS(lane)                                           \
  do {                                                             \
    const int8x16_t low = vld1q_s8(weights + 32 * lane);           \
    const int8x16_t high = vld1q_s8(weights + 32 * lane + 16);     \
    _Pragma("GCC unroll 8") for (int p = 0; p < PIXELS; ++p) {     \
      sum[2 * p] = DOT_LANE(sum[2 * p], x[p], low, lane);          \
      sum[2 * p + 1] = DOT_LANE(sum[2 * p + 1], x[p], high, lane); \
    }                                                              \
  } while (0)

// At most four inputs in lane 0.
TARGET static inline int8x16_t NAME(load_few)(const int8_t *from, int32_t count) {
  uint32_t word = 0;
  memcpy(&word, from, (size_t)(count < 4 ? count : 4));
  return vreinterpretq_s8_u32(vdupq_n_u32(word));
}

TARGET static inline void NAME(begin)(const int32x4_t *first, SUM *sum) {
#pragma GCC unroll 16
  for (int i = 0; i < 2 * PIXELS; ++i) sum[i] = START(first[i % 2]);
}

TARGET static inline void NAME(end)(const SUM *sum, int32x4_t *total) {
#pragma GCC unroll 16
  for (int i = 0; i < 2 * PIXELS; ++i) total[i] = TOTAL(sum[i]);
}

TARGET static inline const int8_t *NAME(add_tap)(const int8_t *const *pixels,
                                                 const int8_t *weights, int32_t channels,
                                                 SUM *sum) {
  int32_t c = 0;
  for (; c + 16 <= channels; c += 16, weights += 128) {
    int8x16_t x[PIXELS];
#pragma GCC unroll 8
    for (int p = 0; p < PIXELS; ++p) x[p] = vld1q_s8(pixels[p] + c);
    ADD_INPUTS(0);
    ADD_INPUTS(1);
    ADD_INPUTS(2);
    ADD_INPUTS(3);
  }
  for (; c < channels; c += 4, weights += 32) {
    int8x16_t x[PIXELS];
#pragma GCC unroll 8
    for (int p = 0; p < PIXELS; ++p) x[p] = NAME(load_few)(pixels[p] + c, channels - c);
    ADD_INPUTS(0);
  }
  return weights;
}

#include "kernels/aarch64/conv2d_s8_dense_template.h"
