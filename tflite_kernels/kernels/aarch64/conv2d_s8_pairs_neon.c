// Sparse int8 CONV_2D, any zeros, output pixels in the lanes, any 64-bit Arm. Two products fit
// int16 as long as no weight is -128; their sums are added to int32.
#include <arm_neon.h>

#include "formats/tuples_s8.h"
#include "kernels/aarch64/kernels_aarch64.h"
#include "kernels/aarch64/planar_s8_neon.h"

#define INLINE static inline __attribute__((always_inline))

// 16 pixels: x * weights.
INLINE void add_pair(int8x16_t a, int8x16_t b, int8x16_t weight_a, int8x16_t weight_b,
                     int32x4_t *sum) {
  const int16x8_t low = vmlal_s8(vmull_s8(vget_low_s8(a), vget_low_s8(weight_a)),
                                 vget_low_s8(b), vget_low_s8(weight_b));
  const int16x8_t high = vmlal_high_s8(vmull_high_s8(a, weight_a), b, weight_b);
  sum[0] = vaddw_s16(sum[0], vget_low_s16(low));
  sum[1] = vaddw_high_s16(sum[1], low);
  sum[2] = vaddw_s16(sum[2], vget_low_s16(high));
  sum[3] = vaddw_high_s16(sum[3], high);
}

INLINE void row(const uint32_t *pair, uint32_t count, const int8_t *planes,
                const spk_channel_neon *channel, const spk_output_neon *output, int8_t *to,
                const int vectors) {
  int32x4_t sum[16];
#pragma GCC unroll 16
  for (int v = 0; v < vectors; ++v) sum[v] = channel->first;
  for (; count > 0; --count, pair += 3) {
    const int8_t *a = planes + pair[0], *b = planes + pair[1];
    // The weights are widened to int16; their low bytes are enough.
    const int8x16_t weight_a = vdupq_n_s8((int8_t)(pair[2] & 0xff));
    const int8x16_t weight_b = vdupq_n_s8((int8_t)(pair[2] >> 16 & 0xff));
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v += 4)
      add_pair(vld1q_s8(a + 4 * v), vld1q_s8(b + 4 * v), weight_a, weight_b, sum + v);
  }
  spk_finish_channel_neon(sum, vectors, channel, output, to);
}

static void compute(const spk_args *args, const void *planes, int32_t pixels, int32_t begin,
                    int32_t end, void *tile) {
  const int32_t rows = args->layer->window.out_c;
  const uint32_t *start = spk_tuples_s8_start(args->packed);
  const uint32_t *pairs = spk_tuples_s8_tuples(args->packed, rows);
  const int32_t *weight_sum = spk_tuples_s8_sum(args->packed, rows);
  const spk_output_neon output = spk_output_of_neon(&args->layer->requant);
  for (int32_t o = begin; o < end; ++o) {
    const spk_channel_neon channel = spk_channel_of_neon(args->layer, o, weight_sum[o]);
    const uint32_t *pair = pairs + (size_t)start[o] * 3, count = start[o + 1] - start[o];
    int8_t *to = (int8_t *)tile + (size_t)(o - begin) * kSpkMaxTile;
    if (pixels == 64)
      row(pair, count, planes, &channel, &output, to, 16);
    else if (pixels == 32)
      row(pair, count, planes, &channel, &output, to, 8);
    else
      row(pair, count, planes, &channel, &output, to, 4);
  }
}

void spk_conv2d_s8_pairs__neon(const spk_args *args) {
  static const spk_planar_kernel kernel = {.tiles = {64, 32, 16, 0}, .compute = compute};
  spk_planar_s8_neon_run(args, &kernel);
}
