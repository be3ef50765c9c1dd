// Sparse float32 FULLY_CONNECTED whose rows share their columns, for one vector length and one
// height of the blocks. The including file defines TARGET, VECTOR, LANES, HEIGHT (PARTS vectors
// of LANES), MOST_INPUTS, LOAD, STORE, SET1, FMA, ADD, MIN, MAX, NAME(x), and for few live
// inputs FEW_PERCENT, LIVE(x), a bit for each input that is not zero, and list_live(), which
// writes the columns of those down. One unit of work is one group of HEIGHT rows.
//
// A block is loaded once for `inputs` images of the batch. With few of them the additions would
// wait for each other, so `chains` blocks are in flight, each with sums of its own.
TARGET static inline __attribute__((always_inline)) void NAME(group)(
    const uint32_t *column, const float *weights, uint32_t count, const float *input,
    size_t pitch, float *to, const int inputs, const int chains) {
  VECTOR sum[8];
#pragma GCC unroll 8
  for (int i = 0; i < inputs * PARTS * chains; ++i) sum[i] = SET1(0.0f);
  uint32_t b = 0;
  for (; b + (uint32_t)chains <= count; b += (uint32_t)chains) {
#pragma GCC unroll 8
    for (int i = 0; i < chains * PARTS; ++i) {
      const VECTOR w = LOAD(weights + (size_t)b * HEIGHT + i * LANES);
      const float *x = input + column[b + (uint32_t)(i / PARTS)];
#pragma GCC unroll 8
      for (int n = 0; n < inputs; ++n)
        sum[i * inputs + n] = FMA(SET1(x[n * pitch]), w, sum[i * inputs + n]);
    }
  }
  for (; b < count; ++b) {
#pragma GCC unroll 8
    for (int i = 0; i < PARTS; ++i) {
      const VECTOR w = LOAD(weights + (size_t)b * HEIGHT + i * LANES);
      const float *x = input + column[b];
#pragma GCC unroll 8
      for (int n = 0; n < inputs; ++n)
        sum[i * inputs + n] = FMA(SET1(x[n * pitch]), w, sum[i * inputs + n]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < PARTS; ++i) {
#pragma GCC unroll 8
    for (int n = 0; n < inputs; ++n) {
      VECTOR total = sum[i * inputs + n];
#pragma GCC unroll 8
      for (int j = 1; j < chains; ++j) total = ADD(total, sum[(j * PARTS + i) * inputs + n]);
      STORE(to + n * HEIGHT + i * LANES, total);
    }
  }
}

// Adds the bias and clamps: HEIGHT sums -> outputs.
TARGET static inline void NAME(clamp)(const spk_layer *layer, const float *bias,
                                      const float *sums, float *output) {
  const VECTOR low = SET1(layer->act_min), high = SET1(layer->act_max);
#pragma GCC unroll 8
  for (int i = 0; i < HEIGHT; i += LANES) {
    const VECTOR sum = bias ? ADD(LOAD(sums + i), LOAD(bias + i)) : LOAD(sums + i);
    STORE(output + i, MIN(high, MAX(low, sum)));  // in this order NaN stays NaN
  }
}

// The same for the rows of a group that exist.
TARGET static void NAME(finish)(const spk_layer *layer, int32_t group, const float *sums,
                                float *output) {
  const int32_t first = group * HEIGHT, rest = layer->window.out_c - first;
  const float *bias = layer->bias ? (const float *)layer->bias + first : NULL;
  if (rest >= HEIGHT) {
    NAME(clamp)(layer, bias, sums, output + first);
    return;
  }
  float few_bias[HEIGHT] = {0}, few[HEIGHT];
  if (bias) memcpy(few_bias, bias, (size_t)rest * sizeof(float));
  NAME(clamp)(layer, few_bias, sums, few);
  memcpy(output + first, few, (size_t)rest * sizeof(float));
}

// `inputs` images from `input` on, group by group.
TARGET static inline __attribute__((always_inline)) void NAME(groups)(
    const spk_args *args, const spk_blocks_f32_view *blocks, const float *input, float *output,
    const int inputs, const int chains) {
  const spk_layer *layer = args->layer;
  float sums[MOST_INPUTS * HEIGHT];
  for (int32_t group = args->begin; group < args->end; ++group) {
    const uint32_t first = blocks->first[group];
    NAME(group)(blocks->column + first, blocks->weights + (size_t)first * HEIGHT,
                blocks->first[group + 1] - first, input, (size_t)layer->window.in_c, sums,
                inputs, chains);
    for (int n = 0; n < inputs; ++n)
      NAME(finish)(layer, group, sums + n * HEIGHT, output + (size_t)n * layer->window.out_c);
  }
}

// One image, by the columns whose inputs are not zero; the sums of all rows are in scratch.
TARGET static void NAME(columns)(const spk_args *args, const spk_row_blocks *view,
                                 const float *input, float *output) {
  const spk_layer *layer = args->layer;
  const uint32_t begin = (uint32_t)args->begin, units = (uint32_t)(args->end - args->begin);
  float *sums = args->scratch;
  uint32_t *live = spk_row_blocks_live(layer, args->scratch, HEIGHT);
  memset(sums, 0, (size_t)units * HEIGHT * sizeof(float));
  const int32_t count = NAME(list_live)(input, layer->window.in_c, live);
  for (int32_t l = 0; l < count; ++l) {
    const uint32_t c = live[l];
    const VECTOR x = SET1(input[c]);
    for (uint32_t i = view->start[c]; i < view->start[c + 1]; ++i) {
      const uint32_t group = view->group[i] - begin;
      if (group >= units) continue;
      const float *weights = view->weights + (size_t)i * HEIGHT;
      float *sum = sums + (size_t)group * HEIGHT;
#pragma GCC unroll 8
      for (int p = 0; p < HEIGHT; p += LANES)
        STORE(sum + p, FMA(x, LOAD(weights + p), LOAD(sum + p)));
    }
  }
  for (uint32_t group = 0; group < units; ++group)
    NAME(finish)(layer, (int32_t)(begin + group), sums + (size_t)group * HEIGHT, output);
}

TARGET static int NAME(few_are_live)(const float *input, int32_t cols) {
  int32_t live = 0, c = 0;
  for (; c + LANES <= cols; c += LANES) live += __builtin_popcount(LIVE(LOAD(input + c)));
  for (; c < cols; ++c) live += input[c] != 0.0f;
  return spk_are_few_live(live, cols, FEW_PERCENT);
}

TARGET static void NAME(run)(const spk_args *args) {
  const spk_layer *layer = args->layer;
  const spk_row_blocks view = spk_row_blocks_of(args->packed);
  const size_t cols = (size_t)layer->window.in_c, rows = (size_t)layer->window.out_c;
  const float *input = args->input;
  float *output = args->output;
  int32_t rest = layer->window.batch;
  for (; rest >= MOST_INPUTS; rest -= MOST_INPUTS) {
    NAME(groups)(args, &view.blocks, input, output, MOST_INPUTS, 1);
    input += cols * MOST_INPUTS;
    output += rows * MOST_INPUTS;
  }
  for (; rest >= 2; rest -= 2, input += 2 * cols, output += 2 * rows)
    NAME(groups)(args, &view.blocks, input, output, 2, MOST_INPUTS / 2);
  if (rest == 0) return;
  if (NAME(few_are_live)(input, layer->window.in_c))
    NAME(columns)(args, &view, input, output);
  else
    NAME(groups)(args, &view.blocks, input, output, 1, MOST_INPUTS);
}
