// Sparse float32 FULLY_CONNECTED by look-up, for one vector length. The including file defines
// TARGET, VECTOR, LANES, SHAPE, LOOKUP(x, index), LOAD, STORE, ZERO, FMA, ADD, SET1, MIN, MAX
// and NAME(x). One unit of work is one group of LANES rows.
//
// Four steps are in flight, so that their additions do not wait for each other.
TARGET static inline __attribute__((always_inline)) VECTOR
NAME(step)(const spk_windows_view *view, size_t step, const float *input, VECTOR sum) {
  const VECTOR x = LOOKUP(input + view->start[step], view->index + step * LANES);
  return FMA(x, LOAD((const float *)(const void *)view->weights + step * LANES), sum);
}

TARGET static VECTOR NAME(group_sum)(const spk_windows_view *view, int32_t group,
                                     const float *input) {
  VECTOR sum[4] = {ZERO(), ZERO(), ZERO(), ZERO()};
  const size_t end = view->first_step[group + 1];
  size_t step = view->first_step[group];
  for (; step + 4 <= end; step += 4) {
    sum[0] = NAME(step)(view, step, input, sum[0]);
    sum[1] = NAME(step)(view, step + 1, input, sum[1]);
    sum[2] = NAME(step)(view, step + 2, input, sum[2]);
    sum[3] = NAME(step)(view, step + 3, input, sum[3]);
  }
  for (; step < end; ++step) sum[0] = NAME(step)(view, step, input, sum[0]);
  return ADD(ADD(sum[0], sum[1]), ADD(sum[2], sum[3]));
}

// Adds the bias and clamps: the sums of a group -> the rows of it that exist.
TARGET static inline void NAME(finish)(const spk_layer *layer, int32_t group, VECTOR sum,
                                       float *output) {
  const VECTOR low = SET1(layer->act_min), high = SET1(layer->act_max);
  const int32_t first = group * LANES, rows = spk_windows_rows(layer, &SHAPE, group);
  const float *bias = layer->bias ? (const float *)layer->bias + first : NULL;
  if (rows == LANES) {
    const VECTOR total = bias ? ADD(sum, LOAD(bias)) : sum;
    STORE(output + first, MIN(high, MAX(low, total)));  // in this order NaN stays NaN
    return;
  }
  float few[LANES] = {0};
  if (bias) memcpy(few, bias, (size_t)rows * sizeof(float));
  STORE(few, MIN(high, MAX(low, ADD(sum, LOAD(few)))));
  memcpy(output + first, few, (size_t)rows * sizeof(float));
}

TARGET static void NAME(run)(const spk_args *args) {
  const spk_layer *layer = args->layer;
  const spk_windows_view view = spk_windows_view_of(args->packed);
  for (int32_t b = 0; b < layer->window.batch; ++b) {
    const float *input = spk_windows_input(args, &SHAPE, b);
    float *output = (float *)args->output + (size_t)b * layer->window.out_c;
    for (int32_t group = args->begin; group < args->end; ++group)
      NAME(finish)(layer, group, NAME(group_sum)(&view, group, input), output);
  }
}
