// The inner loop of convolution over tiles in lanes, for one vector length. The including file
// has included kernels/x86/vector_f32_*.h.
//
// One block is `height` output channels that share an input. It meets the pixels of a tile,
// `tile_h` rows of `tile_w`, each a vector with the pixels of as many tiles. With few sums the
// additions would wait for each other, so two blocks are in flight, with sums of their own.
TARGET static inline __attribute__((always_inline)) void NAME(add_block)(
    const float *from, size_t row, const float *weights, VECTOR *sum, const int height,
    const int tile_h, const int tile_w) {
  const int pixels = tile_h * tile_w;
  VECTOR x[14];
#pragma GCC unroll 14
  for (int p = 0; p < pixels; ++p)
    x[p] = LOAD(from + (p / tile_w ? row : 0) + p % tile_w * LANES);
#pragma GCC unroll 2
  for (int r = 0; r < height; ++r) {
    VECTOR weight = SET1(weights[r]);
    KEEP(weight);  // in a register: else each multiplication would load it again
#pragma GCC unroll 14
    for (int p = 0; p < pixels; ++p)
      sum[r * pixels + p] = FMA(weight, x[p], sum[r * pixels + p]);
  }
}

// What one slice brings to `height` output channels. `bias` is theirs in the first slice, NULL
// in the others, and the activation follows the last.
TARGET static inline __attribute__((always_inline)) void NAME(group)(
    const uint32_t *offset, const float *weights, uint32_t count, const float *planes,
    size_t row, const float *bias, int is_last, VECTOR low, VECTOR high, float *sums,
    const int height, const int tile_h, const int tile_w) {
  const int pixels = tile_h * tile_w, all = height * pixels, chains = all < 7 ? 2 : 1;
  VECTOR sum[16];
#pragma GCC unroll 16
  for (int i = 0; i < all; ++i) sum[i] = bias ? SET1(bias[i / pixels]) : LOAD(sums + i * LANES);
#pragma GCC unroll 16
  for (int i = all; i < all * chains; ++i) sum[i] = SET1(0.0f);
  uint32_t b = 0;
  for (; b + (uint32_t)chains <= count; b += (uint32_t)chains) {
#pragma GCC unroll 2
    for (int j = 0; j < chains; ++j)
      NAME(add_block)(planes + offset[b + (uint32_t)j], row,
                      weights + (size_t)(b + (uint32_t)j) * (size_t)height, sum + j * all,
                      height, tile_h, tile_w);
  }
  for (; b < count; ++b)
    NAME(add_block)(planes + offset[b], row, weights + (size_t)b * (size_t)height, sum, height,
                    tile_h, tile_w);
#pragma GCC unroll 16
  for (int i = 0; i < all; ++i) {
    VECTOR total = chains == 2 ? ADD(sum[i], sum[all + i]) : sum[i];
    // MAX before MIN, in this order of arguments: NaN stays NaN.
    if (is_last) total = MIN(high, MAX(low, total));
    STORE(sums + i * LANES, total);
  }
}

TARGET static inline __attribute__((always_inline)) void NAME(groups)(
    const spk_args *args, const spk_lanes *plan, const float *planes, int32_t slice,
    float *sums, const int height, const int tile_h, const int tile_w) {
  const spk_layer *layer = args->layer;
  const spk_blocks_f32_view blocks = spk_blocks_f32_view_of(args->packed);
  const VECTOR low = SET1(layer->act_min), high = SET1(layer->act_max);
  const size_t row = (size_t)(plan->window.stride_h * plan->pitch) * LANES;
  const int32_t channels = plan->window.out_c, count = (channels + height - 1) / height;
  const uint32_t *first = blocks.first + (size_t)slice * (size_t)count;
  for (int32_t g = 0; g < count; ++g) {
    float bias[4] = {0};
    for (int r = 0; r < height && layer->bias && g * height + r < channels; ++r)
      bias[r] = ((const float *)layer->bias)[g * height + r];
    NAME(group)(blocks.column + first[g], blocks.weights + (size_t)first[g] * (size_t)height,
                first[g + 1] - first[g], planes, row, slice == 0 ? bias : NULL,
                slice + 1 == plan->slices, low, high,
                sums + (size_t)(g * height * tile_h * tile_w) * LANES, height, tile_h, tile_w);
  }
}

TARGET static inline __attribute__((always_inline)) void NAME(compute)(
    const spk_args *args, const spk_lanes *plan, const float *planes, int32_t slice,
    float *sums, const int height) {
  if (plan->step_h == 2 && plan->tile_w == 7) {
    if (height == 1 && LANES == 16) NAME(groups)(args, plan, planes, slice, sums, 1, 2, 7);
  } else if (plan->step_h == 2) {
    NAME(groups)(args, plan, planes, slice, sums, height, 2, 4);
  } else if (plan->tile_w == 8) {
    NAME(groups)(args, plan, planes, slice, sums, height, 1, 8);
  } else if (plan->tile_w == 7) {
    NAME(groups)(args, plan, planes, slice, sums, height, 1, 7);
  } else {
    NAME(groups)(args, plan, planes, slice, sums, height, 1, 4);
  }
}

#define COMPUTE(height)                                                                       \
  TARGET static void NAME(compute##height)(const spk_args *args, const spk_lanes *plan,       \
                                           const float *planes, int32_t slice, float *sums) { \
    NAME(compute)(args, plan, planes, slice, sums, height);                                   \
  }
COMPUTE(1)
COMPUTE(2)
#undef COMPUTE
