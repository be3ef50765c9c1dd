// The inner loop of pixel-vectorised sparse convolution, for one vector length. The including
// file defines TARGET, VECTOR, LANES, LOAD, STORE, SET1, FMA, ADD, MIN, MAX and NAME(x).
//
// One weight meets `vectors` vectors of pixels. With few vectors the additions would wait for
// each other, so `chains` weights are in flight, each with accumulators of its own.
TARGET static inline __attribute__((always_inline)) void NAME(row)(
    const spk_csr_f32_entry *entry, uint32_t count, const float *planes, VECTOR bias,
    VECTOR low, VECTOR high, float *to, const int vectors, const int chains) {
  VECTOR sum[8];
#pragma GCC unroll 8
  for (int i = 0; i < vectors * chains; ++i) sum[i] = i < vectors ? bias : SET1(0.0f);
  uint32_t i = 0;
  for (; i + (uint32_t)chains <= count; i += (uint32_t)chains) {
#pragma GCC unroll 8
    for (int j = 0; j < chains; ++j) {
      const float *from = planes + entry[i + j].column;
      const VECTOR value = SET1(entry[i + j].value);
#pragma GCC unroll 8
      for (int v = 0; v < vectors; ++v)
        sum[j * vectors + v] = FMA(value, LOAD(from + v * LANES), sum[j * vectors + v]);
    }
  }
  for (; i < count; ++i) {
    const float *from = planes + entry[i].column;
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v)
      sum[v] = FMA(SET1(entry[i].value), LOAD(from + v * LANES), sum[v]);
  }
#pragma GCC unroll 8
  for (int v = 0; v < vectors; ++v) {
    VECTOR total = sum[v];
#pragma GCC unroll 8
    for (int j = 1; j < chains; ++j) total = ADD(total, sum[j * vectors + v]);
    STORE(to + v * LANES, MIN(high, MAX(low, total)));  // in this order NaN stays NaN
  }
}

TARGET static void NAME(compute)(const spk_args *args, const void *planes, int32_t pixels,
                                 int32_t begin, int32_t end, void *tile) {
  const spk_layer *layer = args->layer;
  const uint32_t *start = spk_csr_f32_start(args->packed);
  const spk_csr_f32_entry *entries = spk_csr_f32_entries(args->packed, layer->window.out_c);
  const float *bias = layer->bias;
  const VECTOR low = SET1(layer->act_min), high = SET1(layer->act_max);
  for (int32_t o = begin; o < end; ++o) {
    const VECTOR first = SET1(bias ? bias[o] : 0.0f);
    float *to = (float *)tile + (size_t)(o - begin) * kSpkMaxTile;
    const spk_csr_f32_entry *entry = entries + start[o];
    const uint32_t count = start[o + 1] - start[o];
    switch (pixels / LANES) {
      case 8:
        NAME(row)(entry, count, planes, first, low, high, to, 8, 1);
        break;
      case 4:
        NAME(row)(entry, count, planes, first, low, high, to, 4, 2);
        break;
      case 2:
        NAME(row)(entry, count, planes, first, low, high, to, 2, 4);
        break;
      default:
        NAME(row)(entry, count, planes, first, low, high, to, 1, 8);
        break;
    }
  }
}
