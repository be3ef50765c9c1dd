// Dense int8 CONV_2D, with int8 matrix products: two pixels by two rows, eight inputs at a
// time.
#include <arm_neon.h>
#include <string.h>

#include "kernels/aarch64/kernels_aarch64.h"

#define TARGET  SPK_TARGET_NEONI8MM
#define PIXELS  8
#define SUM     int32x4_t
#define WIDTH   8
#define NAME(x) x##_neoni8mm

// sum[4 i + r]: pixels 2 i, 2 i + 1 by rows 2 r, 2 r + 1.
TARGET static inline void begin_neoni8mm(const int32x4_t *first, int32x4_t *sum) {
  const int32x2_t rows[] = {vget_low_s32(first[0]), vget_high_s32(first[0]),
                            vget_low_s32(first[1]), vget_high_s32(first[1])};
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) sum[i] = vcombine_s32(rows[i % 4], rows[i % 4]);
}

TARGET static inline int32x4_t first_pixel(int32x4_t a, int32x4_t b) {
  return vcombine_s32(vget_low_s32(a), vget_low_s32(b));
}

TARGET static inline int32x4_t second_pixel(int32x4_t a, int32x4_t b) {
  return vcombine_s32(vget_high_s32(a), vget_high_s32(b));
}

TARGET static inline void end_neoni8mm(const int32x4_t *sum, int32x4_t *total) {
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i, sum += 4, total += 4) {
    total[0] = first_pixel(sum[0], sum[1]);
    total[1] = first_pixel(sum[2], sum[3]);
    total[2] = second_pixel(sum[0], sum[1]);
    total[3] = second_pixel(sum[2], sum[3]);
  }
}

// Eight inputs of eight pixels, two pixels to a vector, by eight rows.
TARGET static inline void add_eight(const int8x16_t *x, const int8_t *weights, int32x4_t *sum) {
#pragma GCC unroll 4
  for (int r = 0; r < 4; ++r) {
    const int8x16_t w = vld1q_s8(weights + 16 * r);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) sum[4 * i + r] = vmmlaq_s32(sum[4 * i + r], x[i], w);
  }
}

TARGET static inline int8x16_t low_eights(int8x16_t a, int8x16_t b) {
  return vreinterpretq_s8_s64(vzip1q_s64(vreinterpretq_s64_s8(a), vreinterpretq_s64_s8(b)));
}

TARGET static inline int8x16_t high_eights(int8x16_t a, int8x16_t b) {
  return vreinterpretq_s8_s64(vzip2q_s64(vreinterpretq_s64_s8(a), vreinterpretq_s64_s8(b)));
}

// At most eight inputs.
TARGET static inline int8x8_t load_few(const int8_t *from, int32_t count) {
  uint64_t word = 0;
  memcpy(&word, from, (size_t)(count < 8 ? count : 8));
  return vcreate_s8(word);
}

TARGET static inline const int8_t *add_tap_neoni8mm(const int8_t *const *pixels,
                                                    const int8_t *weights, int32_t channels,
                                                    int32x4_t *sum) {
  int32_t c = 0;
  for (; c + 16 <= channels; c += 16, weights += 128) {
    int8x16_t low[4], high[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      const int8x16_t a = vld1q_s8(pixels[2 * i] + c), b = vld1q_s8(pixels[2 * i + 1] + c);
      low[i] = low_eights(a, b);
      high[i] = high_eights(a, b);
    }
    add_eight(low, weights, sum);
    add_eight(high, weights + 64, sum);
  }
  for (; c < channels; c += 8, weights += 64) {
    int8x16_t x[4];
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i)
      x[i] = vcombine_s8(load_few(pixels[2 * i] + c, channels - c),
                         load_few(pixels[2 * i + 1] + c, channels - c));
    add_eight(x, weights, sum);
  }
  return weights;
}

#include "kernels/aarch64/conv2d_s8_dense_template.h"

void spk_conv2d_s8_dense__neoni8mm(const spk_args *args) { run_neoni8mm(args); }
