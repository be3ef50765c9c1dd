// Sparse int8 FULLY_CONNECTED by look-up in windows that several steps share, for one vector
// length and one way to multiply. The including file defines TARGET, VECTOR, LANES, SHAPE,
// WINDOW, WINDOW_AT(x), INDEX_BYTES (of a step), INDEX(p), LOOKUP(window, index),
// DOT(sum, x, weights), LOAD, ZERO, ADD, ROWS, ROWS_OF, FINISH, NAME(x), and INPUT_BIAS, FLIP:
// what DOT adds to each input, and how. One unit of work is one group of LANES rows.
//
// Indices and weights are loaded once for `images` of the batch, a window once for the steps
// that share it. With one image the additions would wait for each other, so `chains` steps are
// in flight, each with a sum of its own.
TARGET static inline __attribute__((always_inline)) void NAME(windows)(
    const uint8_t *input, size_t pitch, uint16_t start, WINDOW *window, const int images) {
#pragma GCC unroll 4
  for (int n = 0; n < images; ++n)
    window[n] = WINDOW_AT(input + n * pitch + (size_t)start * SHAPE.element);
}

TARGET static inline __attribute__((always_inline)) void NAME(step)(
    const spk_windows_view *view, size_t step, const WINDOW *window, VECTOR *sum,
    const int images) {
  const VECTOR weights = LOAD(view->weights + step * sizeof(VECTOR));
  const VECTOR index = INDEX(view->index + step * INDEX_BYTES);
#pragma GCC unroll 4
  for (int n = 0; n < images; ++n) sum[n] = DOT(sum[n], LOOKUP(window[n], index), weights);
}

TARGET static inline __attribute__((always_inline)) void NAME(group)(
    const spk_windows_view *view, int32_t group, const uint8_t *input, size_t pitch,
    VECTOR *total, const int images, const int chains) {
  VECTOR sum[8];
  WINDOW window[4];
#pragma GCC unroll 8
  for (int i = 0; i < images * chains; ++i) sum[i] = ZERO();
  size_t step = view->first_step[group];
  const size_t end = view->first_step[group + 1];
  uint16_t start = step < end ? view->start[step] : 0;
  NAME(windows)(input, pitch, start, window, images);
  while (step < end) {
    const int count = end - step < (size_t)chains ? (int)(end - step) : chains;
#pragma GCC unroll 8
    for (int j = 0; j < chains; ++j, ++step) {
      if (count < chains && j == count) break;
      if (view->start[step] != start) {
        start = view->start[step];
        NAME(windows)(input, pitch, start, window, images);
      }
      NAME(step)(view, step, window, sum + j * images, images);
    }
  }
#pragma GCC unroll 4
  for (int n = 0; n < images; ++n) {
    total[n] = sum[n];
#pragma GCC unroll 8
    for (int j = 1; j < chains; ++j) total[n] = ADD(total[n], sum[j * images + n]);
  }
}

TARGET static inline __attribute__((always_inline)) void NAME(groups)(const spk_args *args,
                                                                      const int8_t *input,
                                                                      int8_t *output,
                                                                      const int images,
                                                                      const int chains) {
  const spk_layer *layer = args->layer;
  const int32_t cols = layer->window.in_c;
  const spk_windows_view view = spk_windows_view_of(args->packed);
  const size_t pitch = spk_inputs_pitch(cols);
  uint8_t *copies = args->scratch;
  for (int n = 0; n < images; ++n)
    spk_copy_inputs(input + (size_t)n * cols, cols, FLIP, copies + n * pitch);
  for (int32_t group = args->begin; group < args->end; ++group) {
    const int32_t row = group * LANES, count = spk_windows_rows(layer, &SHAPE, group);
    const ROWS r = ROWS_OF(layer, view.sum + row, row, count, INPUT_BIAS);
    VECTOR total[4];
    NAME(group)(&view, group, copies, pitch, total, images, chains);
#pragma GCC unroll 4
    for (int n = 0; n < images; ++n)
      FINISH(total[n], &r, count, output + (size_t)n * layer->window.out_c + row);
  }
}

TARGET static void NAME(run)(const spk_args *args) {
  const size_t cols = (size_t)args->layer->window.in_c;
  const size_t rows = (size_t)args->layer->window.out_c;
  const int8_t *input = args->input;
  int8_t *output = args->output;
  int32_t rest = args->layer->window.batch;
  for (; rest >= 4; rest -= 4, input += 4 * cols, output += 4 * rows)
    NAME(groups)(args, input, output, 4, 1);
  for (; rest > 0; --rest, input += cols, output += rows)
    NAME(groups)(args, input, output, 1, 8);
}
