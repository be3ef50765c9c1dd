// The inner loop of pixel-vectorised sparse int8 convolution with a dot-product instruction,
// for one vector length. The including file defines TARGET, VECTOR, BYTES, LOAD, STORE, SET32,
// ZERO, UNPACKLO8 ..., DOT (u8 x s8, four at a time), PACKS32, PACKS16, FACTORS,
// CHANNEL_FACTORS, REQUANTIZE, MIN8, MAX8, SET8 and NAME(x).
//
// Four input planes are interleaved byte by byte, so that each 32-bit lane holds four inputs of
// one pixel. The interleaving scatters the pixels over four vectors within 128-bit lanes; the
// saturating packs at the end put them back in order.
TARGET static inline __attribute__((always_inline)) void NAME(quad)(const uint32_t *quad,
                                                                    const uint8_t *planes,
                                                                    VECTOR *sum) {
  const VECTOR x0 = LOAD(planes + quad[0]), x1 = LOAD(planes + quad[1]);
  const VECTOR x2 = LOAD(planes + quad[2]), x3 = LOAD(planes + quad[3]);
  const VECTOR weights = SET32((int32_t)quad[4]);
  const VECTOR low01 = UNPACKLO8(x0, x1), high01 = UNPACKHI8(x0, x1);
  const VECTOR low23 = UNPACKLO8(x2, x3), high23 = UNPACKHI8(x2, x3);
  sum[0] = DOT(sum[0], UNPACKLO16(low01, low23), weights);
  sum[1] = DOT(sum[1], UNPACKHI16(low01, low23), weights);
  sum[2] = DOT(sum[2], UNPACKLO16(high01, high23), weights);
  sum[3] = DOT(sum[3], UNPACKHI16(high01, high23), weights);
}

TARGET static inline __attribute__((always_inline)) void NAME(row)(
    const uint32_t *quad, uint32_t count, const uint8_t *planes, int32_t first,
    const FACTORS *factors, VECTOR low, VECTOR high, uint8_t *to, const int vectors) {
  VECTOR sum[8];
#pragma GCC unroll 8
  for (int i = 0; i < 4 * vectors; ++i) sum[i] = SET32(first);
  for (uint32_t i = 0; i < count; ++i, quad += 5) {
#pragma GCC unroll 2
    for (int v = 0; v < vectors; ++v) NAME(quad)(quad, planes + v * BYTES, sum + 4 * v);
  }
#pragma GCC unroll 2
  for (int v = 0; v < vectors; ++v) {
    const VECTOR *s = sum + 4 * v;
    const VECTOR left = PACKS32(REQUANTIZE(s[0], factors), REQUANTIZE(s[1], factors));
    const VECTOR right = PACKS32(REQUANTIZE(s[2], factors), REQUANTIZE(s[3], factors));
    STORE(to + v * BYTES, MIN8(high, MAX8(low, PACKS16(left, right))));
  }
}

TARGET static void NAME(compute)(const spk_args *args, const void *planes, int32_t pixels,
                                 int32_t begin, int32_t end, void *tile) {
  const spk_requant *q = &args->layer->requant;
  const int32_t rows = args->layer->window.out_c;
  const uint32_t *start = spk_tuples_s8_start(args->packed);
  const uint32_t *quads = spk_tuples_s8_tuples(args->packed, rows);
  const VECTOR low = SET8((char)q->act_min), high = SET8((char)q->act_max);
  for (int32_t o = begin; o < end; ++o) {
    const FACTORS factors = CHANNEL_FACTORS(q, o);
    const int32_t first = spk_planar_s8_first(args, o);
    const uint32_t *quad = quads + (size_t)start[o] * 5, count = start[o + 1] - start[o];
    uint8_t *to = (uint8_t *)tile + (size_t)(o - begin) * kSpkMaxTile;
    if (pixels == 2 * BYTES)
      NAME(row)(quad, count, planes, first, &factors, low, high, to, 2);
    else
      NAME(row)(quad, count, planes, first, &factors, low, high, to, 1);
  }
}
