// Sparse int8 FULLY_CONNECTED by look-up, for one vector length and one way to multiply. The
// including file defines TARGET, VECTOR, LANES, SHAPE, LOOKUP(x, index), DOT(sum, x, weights),
// LOAD, ZERO, ADD, ROWS, ROWS_OF, FINISH, NAME(x) and INPUT_BIAS: what DOT adds to each input.
// One unit of work is one group of LANES rows.
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

TARGET static void NAME(run)(const spk_args *args) {
  const spk_layer *layer = args->layer;
  const spk_windows_view view = spk_windows_view_of(args->packed);
  for (int32_t b = 0; b < layer->window.batch; ++b) {
    const int8_t *input = spk_windows_input(args, &SHAPE, b);
    int8_t *output = (int8_t *)args->output + (size_t)b * layer->window.out_c;
    for (int32_t group = args->begin; group < args->end; ++group) {
      const int32_t row = group * LANES, count = spk_windows_rows(layer, &SHAPE, group);
      const ROWS r = ROWS_OF(layer, view.sum + row, row, count, INPUT_BIAS);
      FINISH(NAME(group_sum)(&view, group, input), &r, count, output + row);
    }
  }
}
