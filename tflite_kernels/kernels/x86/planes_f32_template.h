// Operators on planes for one vector length. The including file defines TARGET, VECTOR, LANES,
// LOAD, STORE, SET1, FMA, ADD, MUL, MIN, MAX, KEEP(x), NAME(x), and FIT(rows, vectors): whether
// so many sums, with the inputs, fit into the registers.

#define INLINE TARGET static inline __attribute__((always_inline))

// NaN stays NaN, with this order of arguments.
INLINE VECTOR NAME(clamp)(VECTOR x, VECTOR low, VECTOR high) { return MIN(high, MAX(low, x)); }

// One block: `rows` channels that share an input, for `vectors` vectors of pixels.
INLINE void NAME(add_block)(const float *from, const float *weights, VECTOR *sum,
                            const int rows, const int vectors) {
  VECTOR x[6];
#pragma GCC unroll 6
  for (int v = 0; v < vectors; ++v) x[v] = LOAD(from + v * LANES);
#pragma GCC unroll 4
  for (int r = 0; r < rows; ++r) {
    VECTOR weight = SET1(weights[r]);
    KEEP(weight);  // in a register: else each multiplication would load it again
#pragma GCC unroll 6
    for (int v = 0; v < vectors; ++v)
      sum[r * vectors + v] = FMA(weight, x[v], sum[r * vectors + v]);
  }
}

// One group of channels. With few sums, additions would wait for each other: then `chains`
// blocks are in flight, each with sums of its own.
INLINE void NAME(group)(const uint32_t *offset, const float *weights, uint32_t count,
                        const float *from, const float *bias, VECTOR low, VECTOR high,
                        float *to, size_t stride, const int rows, const int vectors,
                        const int chains) {
  VECTOR sum[24];
  const int sums = rows * vectors;
#pragma GCC unroll 24
  for (int i = 0; i < sums * chains; ++i)
    sum[i] = SET1(bias && i < sums ? bias[i / vectors] : 0.0f);
  uint32_t b = 0;
  for (; b + (uint32_t)chains <= count; b += (uint32_t)chains) {
#pragma GCC unroll 8
    for (int j = 0; j < chains; ++j)
      NAME(add_block)(from + offset[b + (uint32_t)j],
                      weights + (size_t)(b + (uint32_t)j) * (size_t)rows, sum + j * sums, rows,
                      vectors);
  }
  for (; b < count; ++b)
    NAME(add_block)(from + offset[b], weights + (size_t)b * (size_t)rows, sum, rows, vectors);
#pragma GCC unroll 24
  for (int i = 0; i < sums; ++i) {
    VECTOR total = sum[i];
#pragma GCC unroll 8
    for (int j = 1; j < chains; ++j) total = ADD(total, sum[j * sums + i]);
    STORE(to + (size_t)(i / vectors) * stride + i % vectors * LANES,
          NAME(clamp)(total, low, high));
  }
}

INLINE void NAME(groups)(const spk_planes_conv2d *conv, const float *from, float *to,
                         int32_t stride, const spk_planes_gaps *gaps, const int rows,
                         const int vectors, const int chains) {
  const spk_blocks_f32_view blocks = spk_blocks_f32_view_of(conv->packed);
  const VECTOR low = SET1(conv->act_min), high = SET1(conv->act_max);
  for (int32_t g = 0; g < blocks.groups; ++g) {
    const uint32_t first = blocks.first[g], count = blocks.first[g + 1] - first;
    NAME(group)(blocks.column + first, blocks.weights + (size_t)first * (size_t)rows, count,
                from, conv->bias ? conv->bias + (size_t)g * (size_t)rows : NULL, low, high,
                to + (size_t)g * (size_t)rows * (size_t)stride, (size_t)stride, rows, vectors,
                chains);
    for (size_t r = 0; r < (size_t)rows; ++r)
      spk_planes_fill_gaps(gaps, to + ((size_t)g * (size_t)rows + r) * (size_t)stride);
  }
}

// The most vectors that the registers hold at a time, then what is left.
INLINE void NAME(rows)(const spk_planes_conv2d *conv, spk_planes_tile from, int32_t pixels,
                       spk_planes_tile to, const spk_planes_gaps *all, const int rows) {
  for (int32_t p = 0; p < pixels;) {
    const float *in = (const float *)from.at + p;
    float *out = (float *)to.at + p;
    const int left = (pixels - p) / LANES;
    const spk_planes_gaps here = spk_planes_gaps_in(*all, p, pixels), *gaps = &here;
    int vectors;
    if (left >= 6 && FIT(rows, 6))
      NAME(groups)(conv, in, out, to.stride, gaps, rows, vectors = 6, FIT(rows, 12) ? 2 : 1);
    else if (left >= 4 && FIT(rows, 4))
      NAME(groups)(conv, in, out, to.stride, gaps, rows, vectors = 4, FIT(rows, 8) ? 2 : 1);
    else if (left >= 3 && FIT(rows, 3))
      NAME(groups)(conv, in, out, to.stride, gaps, rows, vectors = 3, FIT(rows, 6) ? 2 : 1);
    else if (left >= 2)
      NAME(groups)(conv, in, out, to.stride, gaps, rows, vectors = 2, FIT(rows, 4) ? 2 : 1);
    else
      NAME(groups)(conv, in, out, to.stride, gaps, rows, vectors = 1, FIT(rows, 4) ? 4 : 2);
    p += vectors * LANES;
  }
}

TARGET static void NAME(conv2d)(const void *packed_conv, spk_planes_tile from, int32_t pixels,
                                spk_planes_tile to, const spk_planes_gaps *gaps) {
  const spk_planes_conv2d *conv = packed_conv;
  if (conv->rows == 4)
    NAME(rows)(conv, from, pixels, to, gaps, 4);
  else if (conv->rows == 2)
    NAME(rows)(conv, from, pixels, to, gaps, 2);
  else
    NAME(rows)(conv, from, pixels, to, gaps, 1);
}

// `vectors` at a time, as each sum waits for itself.
INLINE void NAME(taps)(const float *weights, const int32_t *offset, int32_t count,
                       const float *from, VECTOR bias, VECTOR low, VECTOR high, float *to,
                       const int vectors) {
  VECTOR sum[6];
#pragma GCC unroll 6
  for (int v = 0; v < vectors; ++v) sum[v] = bias;
#pragma GCC unroll 3
  for (int32_t t = 0; t < count; ++t) {
    const VECTOR weight = SET1(weights[t]);
#pragma GCC unroll 6
    for (int v = 0; v < vectors; ++v)
      sum[v] = FMA(weight, LOAD(from + offset[t] + v * LANES), sum[v]);
  }
#pragma GCC unroll 6
  for (int v = 0; v < vectors; ++v) STORE(to + v * LANES, NAME(clamp)(sum[v], low, high));
}

INLINE void NAME(planes)(const spk_planes_depthwise *conv, spk_planes_tile from, int32_t pixels,
                         spk_planes_tile to, const int32_t taps) {
  const VECTOR low = SET1(conv->act_min), high = SET1(conv->act_max);
  const int32_t *offset = conv->offset;
  for (int32_t c = 0; c < conv->channels; ++c) {
    const float *weights = conv->weights + (size_t)c * (size_t)taps;
    const float *in = (const float *)from.at + (size_t)c * (size_t)from.stride;
    float *out = (float *)to.at + (size_t)c * (size_t)to.stride;
    const VECTOR bias = SET1(conv->bias ? conv->bias[c] : 0.0f);
    int32_t p = 0;
    // The next plane lies pages away, where no processor looks by itself.
    for (int32_t i = 0; c + 1 < conv->channels && i < pixels + offset[taps - 1];
         i += kSpkPlanesVector)
      __builtin_prefetch(in + (size_t)from.stride + i);
    for (; p + 6 * LANES <= pixels; p += 6 * LANES)
      NAME(taps)(weights, offset, taps, in + p, bias, low, high, out + p, 6);
    for (; p + 2 * LANES <= pixels; p += 2 * LANES)
      NAME(taps)(weights, offset, taps, in + p, bias, low, high, out + p, 2);
    for (; p < pixels; p += LANES)
      NAME(taps)(weights, offset, taps, in + p, bias, low, high, out + p, 1);
  }
}

TARGET static void NAME(depthwise)(const void *packed_conv, spk_planes_tile from,
                                   int32_t pixels, spk_planes_tile to) {
  const spk_planes_depthwise *conv = packed_conv;
  if (conv->taps == 9)
    NAME(planes)(conv, from, pixels, to, 9);
  else
    NAME(planes)(conv, from, pixels, to, conv->taps);
}

INLINE VECTOR NAME(apply)(spk_planes_function function, VECTOR a, VECTOR b) {
  switch (function) {
    case SPK_PLANES_ADD:
      return ADD(a, b);
    case SPK_PLANES_MUL:
      return MUL(a, b);
    case SPK_PLANES_HARD_SWISH:
      b = NAME(clamp)(ADD(a, SET1(3.0f)), SET1(0.0f), SET1(6.0f));
      return MUL(MUL(a, b), SET1(1.0f / 6.0f));
    default:
      return a;
  }
}

INLINE void NAME(all)(const spk_planes_function function, spk_planes_tile a, spk_planes_tile b,
                      int32_t pixels, int32_t channels, VECTOR low, VECTOR high,
                      spk_planes_tile to) {
  for (int32_t c = 0; c < channels; ++c) {
    const float *first = (const float *)a.at + (size_t)c * (size_t)a.stride;
    const float *second = b.at ? (const float *)b.at + (size_t)c * (size_t)b.stride : first;
    float *out = (float *)to.at + (size_t)c * (size_t)to.stride;
    for (int32_t p = 0; p < pixels; p += LANES)
      STORE(out + p,
            NAME(clamp)(NAME(apply)(function, LOAD(first + p), LOAD(second + p)), low, high));
  }
}

TARGET static void NAME(pointwise)(spk_planes_function function, spk_planes_tile a,
                                   spk_planes_tile b, int32_t pixels, int32_t channels,
                                   float act_min, float act_max, spk_planes_tile to) {
  const VECTOR low = SET1(act_min), high = SET1(act_max);
  if (function == SPK_PLANES_ADD)
    NAME(all)(SPK_PLANES_ADD, a, b, pixels, channels, low, high, to);
  else if (function == SPK_PLANES_MUL)
    NAME(all)(SPK_PLANES_MUL, a, b, pixels, channels, low, high, to);
  else if (function == SPK_PLANES_HARD_SWISH)
    NAME(all)(SPK_PLANES_HARD_SWISH, a, b, pixels, channels, low, high, to);
  else
    NAME(all)(SPK_PLANES_CLAMP, a, b, pixels, channels, low, high, to);
}
