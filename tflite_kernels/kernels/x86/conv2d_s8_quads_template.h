// The inner loop of pixel-vectorised sparse int8 convolution with a dot-product instruction,
// for one vector length. The including file includes channels_s8_template.h and defines TARGET,
// VECTOR, BYTES, LOAD, STORE, SET32, SET8, ZERO, UNPACKLO8 ..., DOT (u8 x s8, four at a time),
// PACKS32, PACKS16, MIN8, MAX8 and NAME(x).
//
// Four input planes are interleaved byte by byte, so that each 32-bit lane holds four inputs of
// one pixel. The interleaving scatters the pixels over four vectors within 128-bit lanes; the
// saturating packs at the end put them back in order. The results of four channels are
// interleaved likewise, to words of four channels.
INLINE void NAME(interleave)(const VECTOR *x, VECTOR *words) {
  const VECTOR low01 = UNPACKLO8(x[0], x[1]), high01 = UNPACKHI8(x[0], x[1]);
  const VECTOR low23 = UNPACKLO8(x[2], x[3]), high23 = UNPACKHI8(x[2], x[3]);
  words[0] = UNPACKLO16(low01, low23);
  words[1] = UNPACKHI16(low01, low23);
  words[2] = UNPACKLO16(high01, high23);
  words[3] = UNPACKHI16(high01, high23);
}

// Four sums for each vector of pixels.
INLINE void NAME(row)(const uint32_t *quad, uint32_t count, const uint8_t *planes,
                      int32_t first, VECTOR *sum, const int vectors) {
#pragma GCC unroll 8
  for (int i = 0; i < 4 * vectors; ++i) sum[i] = SET32(first);
  for (uint32_t i = 0; i < count; ++i, quad += 5) {
    const VECTOR weights = SET32((int32_t)quad[4]);
#pragma GCC unroll 2
    for (int v = 0; v < vectors; ++v) {
      const uint8_t *from = planes + v * BYTES;
      const VECTOR x[4] = {LOAD(from + quad[0]), LOAD(from + quad[1]), LOAD(from + quad[2]),
                           LOAD(from + quad[3])};
      VECTOR words[4];
      NAME(interleave)(x, words);
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) DOT(sum[4 * v + j], words[j], weights);
    }
  }
}

// Bytes of channel o, a vector for each vector of pixels.
INLINE void NAME(channel)(const spk_channels_s8 *run, int32_t o, const uint8_t *planes,
                          VECTOR *bytes, const spk_channel_way way, const int away,
                          const int vectors) {
  VECTOR sum[8];
  if (o >= run->rows) {
    for (int v = 0; v < vectors; ++v) bytes[v] = ZERO();
    return;
  }
  const uint32_t *start = spk_tuples_s8_start(run->packed);
  const uint32_t *quads = spk_tuples_s8_tuples(run->packed, run->rows);
  NAME(row)(quads + (size_t)start[o] * 5, start[o + 1] - start[o], planes, run->first[o], sum,
            vectors);
  NAME(round)(run, o, sum, way, away, 4 * vectors);
#pragma GCC unroll 2
  for (int v = 0; v < vectors; ++v)
    bytes[v] =
        PACKS16(PACKS32(sum[4 * v], sum[4 * v + 1]), PACKS32(sum[4 * v + 2], sum[4 * v + 3]));
}

// The same as the reference does; out of the way of the registers of the usual ones.
TARGET static __attribute__((noinline)) void NAME(reference)(const spk_channels_s8 *run,
                                                             int32_t o, const uint8_t *planes,
                                                             VECTOR *bytes, int vectors) {
  const uint32_t *start = spk_tuples_s8_start(run->packed);
  const uint32_t *quads = spk_tuples_s8_tuples(run->packed, run->rows);
  for (int v = 0; v < vectors; ++v) {
    VECTOR sum[4];
    bytes[v] = ZERO();
    if (o >= run->rows) continue;
    NAME(row)(quads + (size_t)start[o] * 5, start[o + 1] - start[o], planes + v * BYTES,
              run->first[o], sum, 1);
    NAME(round_as_reference)(run, o, sum, 4);
    bytes[v] = PACKS16(PACKS32(sum[0], sum[1]), PACKS32(sum[2], sum[3]));
  }
}

INLINE void NAME(fours)(const spk_channels_s8 *run, const uint8_t *planes, int32_t begin,
                        int32_t end, uint8_t *tile, const int away, const int vectors) {
  const VECTOR low = SET8((char)run->requant->act_min);
  const VECTOR high = SET8((char)run->requant->act_max);
  for (int32_t i = begin; i < end; i += kSpkFour) {
    const int32_t o = (int32_t)run->order[i / kSpkFour] * kSpkFour;
    const uint32_t way = run->way[o / kSpkFour];
    VECTOR bytes[4][2];
    for (int r = 0; r < kSpkFour; ++r) {
      if (__builtin_expect(way == SPK_WAY_F32, 1))
        NAME(channel)(run, o + r, planes, bytes[r], SPK_WAY_F32, away, vectors);
      else if (way == SPK_WAY_ONCE)
        NAME(channel)(run, o + r, planes, bytes[r], SPK_WAY_ONCE, away, vectors);
      else
        NAME(reference)(run, o + r, planes, bytes[r], vectors);
    }
    for (int v = 0; v < vectors; ++v) {
      const VECTOR x[4] = {bytes[0][v], bytes[1][v], bytes[2][v], bytes[3][v]};
      VECTOR words[4];
      NAME(interleave)(x, words);
      uint8_t *to = tile + (size_t)(o - begin) * kSpkMaxTile + (size_t)v * 4 * BYTES;
      for (int j = 0; j < 4; ++j) STORE(to + j * BYTES, MIN8(high, MAX8(low, words[j])));
    }
  }
}

TARGET static void NAME(compute)(const spk_args *args, const void *planes, int32_t pixels,
                                 int32_t begin, int32_t end, void *tile) {
  const spk_channels_s8 *run = args->packed;
  if (pixels == 2 * BYTES && run->away)
    NAME(fours)(run, planes, begin, end, tile, 1, 2);
  else if (pixels == 2 * BYTES)
    NAME(fours)(run, planes, begin, end, tile, 0, 2);
  else if (run->away)
    NAME(fours)(run, planes, begin, end, tile, 1, 1);
  else
    NAME(fours)(run, planes, begin, end, tile, 0, 1);
}

// Word 4 (lanes k + l) + i of a vector's pixels is pixel 4 (4 l + k) + i, where l counts its
// 128-bit lanes: `to` in that order.
static void NAME(order)(const int32_t *to, int32_t pixels, int32_t *ordered) {
  const int32_t lanes = BYTES / 16;
  for (int32_t p = 0; p < pixels; p += BYTES)
    for (int32_t k = 0; k < 4; ++k)
      for (int32_t l = 0; l < lanes; ++l)
        memcpy(ordered + p + 4 * (lanes * k + l), to + p + 4 * (4 * l + k), 16);
}
