// Sums of four rows, each of four int8 products at a time, with the multiplications that all
// 64-bit Arm processors have: products in int16, added in pairs to int32, the two halves of a
// row brought together at the end.
#ifndef SPK_KERNELS_AARCH64_DOT_NEON_H_
#define SPK_KERNELS_AARCH64_DOT_NEON_H_

#include <arm_neon.h>

typedef struct spk_sum_neon {
  int32x4_t low, high;  // of rows 0, 0, 1, 1 and 2, 2, 3, 3
} spk_sum_neon;

static inline spk_sum_neon spk_zero_neon(void) {
  return (spk_sum_neon){vdupq_n_s32(0), vdupq_n_s32(0)};
}

// Sums that start with `first`.
static inline spk_sum_neon spk_start_neon(int32x4_t first) {
  const int32x4_t zero = vdupq_n_s32(0);
  return (spk_sum_neon){vzip1q_s32(first, zero), vzip2q_s32(first, zero)};
}

static inline spk_sum_neon spk_dot_neon(spk_sum_neon sum, int8x16_t x, int8x16_t weights) {
  sum.low = vpadalq_s16(sum.low, vmull_s8(vget_low_s8(x), vget_low_s8(weights)));
  sum.high = vpadalq_s16(sum.high, vmull_high_s8(x, weights));
  return sum;
}

static inline int32x4_t spk_total_neon(spk_sum_neon sum) {
  return vpaddq_s32(sum.low, sum.high);
}

// x[lane], for all rows.
#define SPK_DOT_LANE_NEON(sum, x, weights, lane)                                          \
  spk_dot_neon(sum, vreinterpretq_s8_s32(vdupq_laneq_s32(vreinterpretq_s32_s8(x), lane)), \
               weights)

#endif  // SPK_KERNELS_AARCH64_DOT_NEON_H_
