// The inner loop of int8 convolution by blocks of `height` output by four input channels, for
// one vector length. The including file includes channels_s8_template.h and defines TARGET,
// VECTOR, BYTES, LOAD, STORE, SET32, SET8, BROADCAST (of a word of weights), DOT (u8 x s8, four
// at a time), PACKS32, PACKS16 and PACKU16 (to int8 and to uint8), INTERLEAVE (16 bytes of each
// 128 bits, channel by channel, to pixel by pixel), MIN8, MAX8, MINU8, MAXU8 and NAME(x).
//
// A vector holds four inputs of BYTES / 4 pixels in 32-bit lanes. One load of inputs serves
// all rows of a block, one broadcast of four weights all vectors of pixels.
#include "kernels/x86/planes.h"

// Blocks of one group: sum[row][vector].
INLINE void NAME(group)(const uint32_t *block, uint32_t count, const uint8_t *planes,
                        const int32_t *first, VECTOR sum[4][8], const int height,
                        const int vectors) {
#pragma GCC unroll 4
  for (int r = 0; r < height; ++r)
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) sum[r][v] = SET32(first[r]);
  for (uint32_t i = 0; i < count; ++i, block += 1 + height) {
    const uint8_t *from = planes + block[0];
    VECTOR x[8];
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) x[v] = LOAD(from + v * BYTES);
#pragma GCC unroll 4
    for (int r = 0; r < height; ++r) {
      const VECTOR weights = BROADCAST(block + 1 + r);
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) DOT(sum[r][v], x[v], weights);
    }
  }
}

// To int8, or where `on_planes`, to uint8: there the offset of `run` is that of x + 128.
INLINE VECTOR NAME(pack)(VECTOR a, VECTOR b, const int on_planes) {
  return INTERLEAVE(on_planes ? PACKU16(a, b) : PACKS16(a, b));
}

INLINE VECTOR NAME(clamp)(const spk_channels_s8 *run, VECTOR words, const int on_planes) {
  const VECTOR low = SET8((char)run->requant->act_min);
  const VECTOR high = SET8((char)run->requant->act_max);
  return on_planes ? MINU8(high, MAXU8(low, words)) : MIN8(high, MAX8(low, words));
}

// Output channels o ... o + 3 for `vectors` vectors of pixels, to words of the tile. `first`
// and `blocks` are where those of blocks4_s8 begin.
INLINE void NAME(four)(const spk_channels_s8 *run, const uint32_t *first,
                       const uint32_t *blocks, int32_t o, const uint8_t *planes, uint8_t *to,
                       const int height, const spk_channel_way way, const int away,
                       const int vectors, const int on_planes) {
  first += o / height;
  VECTOR sum[4][8], half[2][8];
#pragma GCC unroll 4
  for (int r = 0; r < kSpkFour; r += height) {
    const uint32_t begin = first[r / height], count = first[r / height + 1] - begin;
    NAME(group)(blocks + (size_t)begin * (1 + height), count, planes, run->first + o + r,
                sum + r, height, vectors);
#pragma GCC unroll 4
    for (int i = r; i < r + height; ++i) {
      NAME(round)(run, o + i, sum[i], way, away, vectors);
      if (i % 2 == 0) continue;
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v) half[i / 2][v] = PACKS32(sum[i - 1][v], sum[i][v]);
    }
  }
#pragma GCC unroll 8
  for (int v = 0; v < vectors; ++v) half[0][v] = NAME(pack)(half[0][v], half[1][v], on_planes);
  if (run->clamps)
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) half[0][v] = NAME(clamp)(run, half[0][v], on_planes);
#pragma GCC unroll 8
  for (int v = 0; v < vectors; ++v) STORE(to + v * BYTES, half[0][v]);
}

// The same as the reference does; out of the way of the registers of the usual ones.
TARGET static __attribute__((noinline)) void NAME(reference)(const spk_channels_s8 *run,
                                                             int32_t o, const uint8_t *planes,
                                                             uint8_t *to, int height,
                                                             int vectors, int on_planes) {
  const uint32_t *first = spk_blocks4_s8_first(run->packed) + o / height;
  const uint32_t *blocks = spk_blocks4_s8_blocks(run->packed);
  for (int v = 0; v < vectors; ++v) {
    VECTOR sum[4];
    for (int r = 0; r < kSpkFour; ++r) {
      const uint32_t *block = blocks + (size_t)first[r / height] * (1 + (size_t)height);
      const uint32_t count = first[r / height + 1] - first[r / height];
      sum[r] = SET32(run->first[o + r]);
      for (uint32_t i = 0; i < count; ++i, block += 1 + height) {
        const VECTOR weights = BROADCAST(block + 1 + r % height);
        DOT(sum[r], LOAD(planes + block[0] + v * BYTES), weights);
      }
      NAME(round_as_reference)(run, o + r, sum + r, 1);
    }
    const VECTOR words =
        NAME(pack)(PACKS32(sum[0], sum[1]), PACKS32(sum[2], sum[3]), on_planes);
    STORE(to + v * BYTES, NAME(clamp)(run, words, on_planes));
  }
}

// Channels [begin, end) of `pixels` pixels, a multiple of what `vectors` hold, to words that
// are `stride` bytes apart from four channels to the next. `gaps` may be NULL.
INLINE void NAME(fours)(const spk_channels_s8 *run, const uint8_t *planes, int32_t pixels,
                        int32_t begin, int32_t end, uint8_t *tile, size_t stride,
                        const spk_planes_gaps *gaps, const int height, const int away,
                        const int vectors, const int on_planes) {
  const spk_channels_s8 local = *run, *r = &local;  // no store can change it
  const uint32_t *first = spk_blocks4_s8_first(r->packed);
  const uint32_t *blocks = spk_blocks4_s8_blocks(r->packed);
  for (int32_t i = begin; i < end; i += kSpkFour) {
    const int32_t o = (int32_t)r->order[i / kSpkFour] * kSpkFour;
    const uint32_t way = r->way[o / kSpkFour];
    uint8_t *to = tile + (size_t)(o - begin) / kSpkFour * stride;
    for (int32_t at = 0; at < 4 * pixels; at += vectors * BYTES) {
      if (__builtin_expect(way == SPK_WAY_F32, 1))
        NAME(four)(r, first, blocks, o, planes + at, to + at, height, SPK_WAY_F32, away,
                   vectors, on_planes);
      else if (way == SPK_WAY_ONCE)
        NAME(four)(r, first, blocks, o, planes + at, to + at, height, SPK_WAY_ONCE, away,
                   vectors, on_planes);
      else
        NAME(reference)(run, o, planes + at, to + at, height, vectors, on_planes);
    }
    if (gaps) spk_planes_fill_gaps(gaps, to);
  }
}

#define COMPUTE(height, vectors)                                                               \
  TARGET static void NAME(compute##height##x##vectors)(                                        \
      const spk_channels_s8 *run, const uint8_t *planes, int32_t pixels, int32_t begin,        \
      int32_t end, uint8_t *tile) {                                                            \
    const size_t stride = kSpkMaxTile * kSpkFour;                                              \
    if (run->away)                                                                             \
      NAME(fours)(run, planes, pixels, begin, end, tile, stride, NULL, height, 1, vectors, 0); \
    else                                                                                       \
      NAME(fours)(run, planes, pixels, begin, end, tile, stride, NULL, height, 0, vectors, 0); \
  }
