// Sparse int8 FULLY_CONNECTED by look-up, for one vector length and one way to multiply. The
// including file defines TARGET, VECTOR, LANES, SHAPE, LOOKUP(x, index), DOT(sum, x, weights),
// LOAD, STORE32, ZERO, ADD, SET32, MIN32, MAX32, FACTORS, REQUANTIZE, NAME(x) and INPUT_BIAS:
// what DOT adds to each input. One unit of work is one group of LANES rows.
TARGET static inline __attribute__((always_inline)) VECTOR
NAME(step)(const spk_windows_view *view, size_t step, const int8_t *input, VECTOR sum) {
  const size_t at = step * sizeof(VECTOR);
  return DOT(sum, LOOKUP(input + view->start[step], view->index + at),
             LOAD(view->weights + at));
}

TARGET static VECTOR NAME(group_sum)(const spk_windows_view *view, int32_t group,
                                     const int8_t *input) {
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

// Per lane: where the sum starts, and how the row is requantised.
typedef struct NAME(group_constants) {
  VECTOR first;
  FACTORS factors;
} NAME(group_constants);

TARGET static NAME(group_constants)
    NAME(constants_of)(const spk_args *args, const spk_windows_view *view, int32_t group,
                       int32_t rows) {
  const spk_requant *q = &args->layer->requant;
  const int32_t *bias = args->layer->bias;
  const uint32_t offset = (uint32_t)(q->input_offset - (INPUT_BIAS));
  int32_t first[LANES] = {0}, multiplier[LANES] = {0}, low[LANES] = {0}, right[LANES];
  for (int32_t lane = 0; lane < LANES; ++lane) right[lane] = 31;
  for (int32_t lane = 0; lane < rows; ++lane) {
    const int32_t row = group * LANES + lane;
    first[lane] =
        (int32_t)((uint32_t)view->sum[row] * offset + (bias ? (uint32_t)bias[row] : 0u));
    multiplier[lane] = q->multiplier[row];
    if (q->multiplier_low) low[lane] = (int32_t)q->multiplier_low[row];
    right[lane] = 31 - q->shift[row];
  }
  return (NAME(group_constants)){
      .first = LOAD(first),
      .factors = {.multiplier = LOAD(multiplier),
                  .low = LOAD(low),
                  .right = LOAD(right),
                  .offset = SET32(q->output_offset)},
  };
}

TARGET static void NAME(run)(const spk_args *args) {
  const spk_layer *layer = args->layer;
  const spk_windows_view view = spk_windows_view_of(args->packed);
  const VECTOR low = SET32(layer->requant.act_min), high = SET32(layer->requant.act_max);
  for (int32_t b = 0; b < layer->window.batch; ++b) {
    const int8_t *input = spk_windows_input(args, &SHAPE, b);
    int8_t *output = (int8_t *)args->output + (size_t)b * layer->window.out_c;
    for (int32_t group = args->begin; group < args->end; ++group) {
      const int32_t rows = spk_windows_rows(layer, &SHAPE, group);
      const NAME(group_constants) c = NAME(constants_of)(args, &view, group, rows);
      const VECTOR sum = ADD(NAME(group_sum)(&view, group, input), c.first);
      int32_t results[LANES];
      STORE32(results, MIN32(high, MAX32(low, REQUANTIZE(sum, &c.factors))));
      for (int32_t lane = 0; lane < rows; ++lane)
        output[group * LANES + lane] = (int8_t)results[lane];
    }
  }
}
