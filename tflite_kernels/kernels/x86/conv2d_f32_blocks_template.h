// The inner loop of pixel-vectorised sparse convolution, for one vector length. The including
// file defines TARGET, VECTOR, LANES, LOAD, STORE, SET1, FMA, ADD, MIN, MAX, MOST_SUMS, KEEP(x)
// and NAME(x).
//
// One block is `rows` output channels that share an input. It meets `vectors` vectors of
// pixels: those are loaded once for all rows, after they were fetched ahead into the
// first-level cache, if there are rows enough to hide that. With few sums the additions would
// wait for each other, so `chains` blocks are in flight, each with sums of its own.
enum { kAhead = 6 };  // blocks

TARGET static inline __attribute__((always_inline)) void NAME(add_block)(
    const float *from, const float *weights, VECTOR *sum, const int rows, const int vectors) {
  VECTOR x[8];
#pragma GCC unroll 8
  for (int v = 0; v < vectors; ++v) x[v] = LOAD(from + v * LANES);
#pragma GCC unroll 4
  for (int r = 0; r < rows; ++r) {
    VECTOR weight = SET1(weights[r]);
    KEEP(weight);  // in a register: else each multiplication would load it again
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v)
      sum[r * vectors + v] = FMA(weight, x[v], sum[r * vectors + v]);
  }
}

TARGET static inline __attribute__((always_inline)) void NAME(group)(
    const uint32_t *offset, const float *weights, uint32_t count, uint32_t last,
    const float *planes, const float *bias, VECTOR low, VECTOR high, int is_bounded, float *to,
    const int rows, const int vectors, const int chains) {
  VECTOR sum[24];
  const int sums = rows * vectors;
#pragma GCC unroll 24
  for (int i = 0; i < sums * chains; ++i)
    sum[i] = SET1(bias && i < sums ? bias[i / vectors] : 0.0f);
  uint32_t b = 0;
  for (; b + (uint32_t)chains <= count; b += (uint32_t)chains) {
#pragma GCC unroll 8
    for (int j = 0; j < chains; ++j) {
      if (rows == 4 && LANES == 16) {
        const uint32_t ahead = b + (uint32_t)j + kAhead;
        const float *next = planes + offset[ahead < last ? ahead : last];
#pragma GCC unroll 8
        for (int v = 0; v < vectors * LANES; v += 16) __builtin_prefetch(next + v);
      }
      NAME(add_block)(planes + offset[b + (uint32_t)j],
                      weights + (size_t)(b + (uint32_t)j) * (size_t)rows, sum + j * sums, rows,
                      vectors);
    }
  }
  for (; b < count; ++b)
    NAME(add_block)(planes + offset[b], weights + (size_t)b * (size_t)rows, sum, rows, vectors);
#pragma GCC unroll 24
  for (int i = 0; i < sums; ++i) {
#pragma GCC unroll 8
    for (int j = 1; j < chains; ++j) sum[i] = ADD(sum[i], sum[j * sums + i]);
    // MAX before MIN, in this order of arguments: NaN stays NaN.
    sum[i] = MAX(low, sum[i]);
  }
  if (is_bounded) {
#pragma GCC unroll 24
    for (int i = 0; i < sums; ++i) sum[i] = MIN(high, sum[i]);
  }
#pragma GCC unroll 24
  for (int i = 0; i < sums; ++i) STORE(to + i * LANES, sum[i]);
}

// The channels [begin, end), which are whole groups except at the end of the layer: there the
// rows of a group that do not exist have weights 0, and a bias of 0 in a copy.
TARGET static inline __attribute__((always_inline)) void NAME(channels)(
    const spk_args *args, const float *planes, int32_t begin, int32_t end, float *tile,
    const int rows, const int vectors, const int chains) {
  const spk_layer *layer = args->layer;
  const spk_blocks_f32_view blocks = spk_blocks_f32_view_of(args->packed);
  const uint32_t last = blocks.first[blocks.groups] - 1;
  const VECTOR low = SET1(layer->act_min), high = SET1(layer->act_max);
  const int is_bounded = layer->act_max < INFINITY;
  for (int32_t o = begin; o < end; o += rows) {
    const float *bias = layer->bias ? (const float *)layer->bias + o : NULL;
    float few[4] = {0};
    if (bias && o + rows > end) bias = memcpy(few, bias, (size_t)(end - o) * sizeof(float));
    const uint32_t first = blocks.first[o / rows], count = blocks.first[o / rows + 1] - first;
    NAME(group)(blocks.column + first, blocks.weights + (size_t)first * (size_t)rows, count,
                last - first, planes, bias, low, high, is_bounded,
                tile + (size_t)(o - begin) * (size_t)(vectors * LANES), rows, vectors, chains);
  }
}

// Tiles have up to 8 vectors of pixels, as far as the sums fit into the registers.
TARGET static inline __attribute__((always_inline)) void NAME(compute)(
    const spk_args *args, const float *planes, int32_t pixels, int32_t begin, int32_t end,
    float *tile, const int rows) {
  const int vectors = pixels / LANES;
  if (vectors == 8 && rows * 8 <= MOST_SUMS)
    NAME(channels)(args, planes, begin, end, tile, rows, 8, 1);
  else if (vectors == 4 && rows * 4 <= MOST_SUMS)
    NAME(channels)(args, planes, begin, end, tile, rows, 4, rows == 1 ? 2 : 1);
  else if (vectors == 6 && rows * 6 <= MOST_SUMS)
    NAME(channels)(args, planes, begin, end, tile, rows, 6, 1);
  else if (vectors == 5 && rows == 4 && LANES == 16)
    NAME(channels)(args, planes, begin, end, tile, rows, 5, 1);
  else if (vectors == 3 && rows * 3 <= MOST_SUMS)
    NAME(channels)(args, planes, begin, end, tile, rows, 3, rows == 1 ? 2 : 1);
  else if (vectors == 2)
    NAME(channels)(args, planes, begin, end, tile, rows, 2, 4 / rows);
  else
    NAME(channels)(args, planes, begin, end, tile, rows, 1, 8 / rows);
}

#define COMPUTE(rows)                                                                \
  TARGET static void NAME(compute##rows)(const spk_args *args, const void *planes,   \
                                         int32_t pixels, int32_t begin, int32_t end, \
                                         void *tile) {                               \
    NAME(compute)(args, planes, pixels, begin, end, tile, rows);                     \
  }
COMPUTE(1)
COMPUTE(2)
COMPUTE(4)
#undef COMPUTE
