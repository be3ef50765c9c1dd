// Sparse int8 CONV_2D, blocks of four neighbouring input channels, output pixels in the lanes:
// a word of a plane holds four channels of a pixel, which one dot product takes.
#include <arm_neon.h>

#include "formats/blocks4_s8.h"
#include "kernels/aarch64/kernels_aarch64.h"
#include "kernels/aarch64/planar_s8_neon.h"

#define TARGET SPK_TARGET_NEONDOT
#define INLINE TARGET static inline __attribute__((always_inline))

// Lanes 1 and 3 of a pair of blocks hold their weights, lanes 0 and 2 their offsets.
#define ADD_BLOCK(offset, lane)                                                          \
  do {                                                                                   \
    const int8_t *x = (const int8_t *)(planes + (offset));                               \
    _Pragma("GCC unroll 16") for (int v = 0; v < vectors; ++v) sum[v] =                  \
        vdotq_laneq_s32(sum[v], vld1q_s8(x + 16 * v), vreinterpretq_s8_u32(pair), lane); \
  } while (0)

INLINE void row(const uint32_t *block, uint32_t count, const uint32_t *planes,
                const spk_channel_neon *channel, const spk_output_neon *output, int8_t *to,
                const int vectors) {
  int32x4_t sum[16];
#pragma GCC unroll 16
  for (int v = 0; v < vectors; ++v) sum[v] = channel->first;
  for (; count >= 2; count -= 2, block += 4) {
    const uint32x4_t pair = vld1q_u32(block);
    ADD_BLOCK(block[0], 1);
    ADD_BLOCK(block[2], 3);
  }
  if (count > 0) {
    const uint32x4_t pair = vdupq_n_u32(block[1]);
    ADD_BLOCK(block[0], 1);
  }
  spk_finish_channel_neon(sum, vectors, channel, output, to);
}

TARGET static void compute(const spk_args *args, const void *planes, int32_t pixels,
                           int32_t begin, int32_t end, void *tile) {
  const uint32_t *first = spk_blocks4_s8_first(args->packed);
  const uint32_t *blocks = spk_blocks4_s8_blocks(args->packed);
  const int32_t *weight_sum = spk_blocks4_s8_sum(args->packed);
  const spk_output_neon output = spk_output_of_neon(&args->layer->requant);
  for (int32_t o = begin; o < end; ++o) {
    const spk_channel_neon channel = spk_channel_of_neon(args->layer, o, weight_sum[o]);
    const uint32_t *block = blocks + (size_t)first[o] * 2, count = first[o + 1] - first[o];
    int8_t *to = (int8_t *)tile + (size_t)(o - begin) * kSpkMaxTile;
    if (pixels == 64)
      row(block, count, planes, &channel, &output, to, 16);
    else if (pixels == 32)
      row(block, count, planes, &channel, &output, to, 8);
    else
      row(block, count, planes, &channel, &output, to, 4);
  }
}

void spk_conv2d_s8_blocks1x4__neondot(const spk_args *args) {
  static const spk_planar_kernel kernel = {.tiles = {64, 32, 16, 0}, .compute = compute};
  spk_planar_s8_neon_blocks1x4_run(args, &kernel);
}
