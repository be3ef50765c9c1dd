// Sparse int8 CONV_2D, any zeros, output pixels in the lanes, with dot products: four planes
// are interleaved byte by byte, so that each word holds four inputs of a pixel.
#include <arm_neon.h>

#include "formats/tuples_s8.h"
#include "kernels/aarch64/kernels_aarch64.h"
#include "kernels/aarch64/planar_s8_neon.h"

#define TARGET SPK_TARGET_NEONDOT
#define INLINE TARGET static inline __attribute__((always_inline))

INLINE int8x16_t low_pairs(int8x16_t a, int8x16_t b) {
  return vreinterpretq_s8_s16(vzip1q_s16(vreinterpretq_s16_s8(a), vreinterpretq_s16_s8(b)));
}

INLINE int8x16_t high_pairs(int8x16_t a, int8x16_t b) {
  return vreinterpretq_s8_s16(vzip2q_s16(vreinterpretq_s16_s8(a), vreinterpretq_s16_s8(b)));
}

// 16 pixels from `planes` on.
INLINE void add_quad(const uint32_t *quad, const int8_t *planes, int8x16_t weights,
                     int32x4_t *sum) {
  const int8x16_t x0 = vld1q_s8(planes + quad[0]), x1 = vld1q_s8(planes + quad[1]);
  const int8x16_t x2 = vld1q_s8(planes + quad[2]), x3 = vld1q_s8(planes + quad[3]);
  const int8x16_t low01 = vzip1q_s8(x0, x1), high01 = vzip2q_s8(x0, x1);
  const int8x16_t low23 = vzip1q_s8(x2, x3), high23 = vzip2q_s8(x2, x3);
  sum[0] = vdotq_s32(sum[0], low_pairs(low01, low23), weights);
  sum[1] = vdotq_s32(sum[1], high_pairs(low01, low23), weights);
  sum[2] = vdotq_s32(sum[2], low_pairs(high01, high23), weights);
  sum[3] = vdotq_s32(sum[3], high_pairs(high01, high23), weights);
}

INLINE void row(const uint32_t *quad, uint32_t count, const int8_t *planes,
                const spk_channel_neon *channel, const spk_output_neon *output, int8_t *to,
                const int vectors) {
  int32x4_t sum[16];
#pragma GCC unroll 16
  for (int v = 0; v < vectors; ++v) sum[v] = channel->first;
  for (; count > 0; --count, quad += 5) {
    const int8x16_t weights = vreinterpretq_s8_u32(vdupq_n_u32(quad[4]));
#pragma GCC unroll 4
    for (int v = 0; v < vectors; v += 4) add_quad(quad, planes + 4 * v, weights, sum + v);
  }
  spk_finish_channel_neon(sum, vectors, channel, output, to);
}

TARGET static void compute(const spk_args *args, const void *planes, int32_t pixels,
                           int32_t begin, int32_t end, void *tile) {
  const int32_t rows = args->layer->window.out_c;
  const uint32_t *start = spk_tuples_s8_start(args->packed);
  const uint32_t *quads = spk_tuples_s8_tuples(args->packed, rows);
  const int32_t *weight_sum = spk_tuples_s8_sum(args->packed, rows);
  const spk_output_neon output = spk_output_of_neon(&args->layer->requant);
  for (int32_t o = begin; o < end; ++o) {
    const spk_channel_neon channel = spk_channel_of_neon(args->layer, o, weight_sum[o]);
    const uint32_t *quad = quads + (size_t)start[o] * 5, count = start[o + 1] - start[o];
    int8_t *to = (int8_t *)tile + (size_t)(o - begin) * kSpkMaxTile;
    if (pixels == 64)
      row(quad, count, planes, &channel, &output, to, 16);
    else if (pixels == 32)
      row(quad, count, planes, &channel, &output, to, 8);
    else
      row(quad, count, planes, &channel, &output, to, 4);
  }
}

void spk_conv2d_s8_quads__neondot(const spk_args *args) {
  static const spk_planar_kernel kernel = {.tiles = {64, 32, 16, 0}, .compute = compute};
  spk_planar_s8_neon_run(args, &kernel);
}
