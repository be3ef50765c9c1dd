// Sparse int8 FULLY_CONNECTED whose rows share their columns by fours, for one vector length
// and one way to multiply. The including file defines TARGET, VECTOR, LANES (the height of the
// blocks), DOT(sum, x, weights), LOAD, SET32, ZERO, ADD, ROWS, ROWS_OF, FINISH, NAME(x), and
// INPUT_BIAS, FLIP: what DOT adds to each input, and how. One unit of work is one group of
// rows.
//
// A block is loaded once for `images` of the batch. With few of them the additions would wait
// for each other, so `chains` blocks are in flight, each with sums of its own.
TARGET static inline __attribute__((always_inline)) VECTOR NAME(inputs_at)(const uint8_t *x) {
  int32_t four;
  memcpy(&four, x, sizeof(four));
  return SET32(four);
}

TARGET static inline __attribute__((always_inline)) void NAME(group)(
    const spk_row_blocks_s8_view *view, int32_t group, const uint8_t *input, size_t pitch,
    VECTOR *total, const int images, const int chains) {
  VECTOR sum[8];
#pragma GCC unroll 8
  for (int i = 0; i < images * chains; ++i) sum[i] = ZERO();
  const uint16_t *column = view->column + view->first[group];
  const int8_t *weights = view->weights + (size_t)view->first[group] * (LANES * 4);
  uint32_t count = view->first[group + 1] - view->first[group];
  for (; count >= (uint32_t)chains; count -= (uint32_t)chains) {
#pragma GCC unroll 8
    for (int j = 0; j < chains; ++j) {
      const VECTOR w = LOAD(weights + j * (LANES * 4));
      const uint8_t *x = input + column[j];
#pragma GCC unroll 8
      for (int n = 0; n < images; ++n)
        sum[j * images + n] = DOT(sum[j * images + n], NAME(inputs_at)(x + n * pitch), w);
    }
    weights += chains * (LANES * 4);
    column += chains;
  }
  for (; count > 0; --count, weights += LANES * 4, ++column) {
    const VECTOR w = LOAD(weights);
#pragma GCC unroll 8
    for (int n = 0; n < images; ++n)
      sum[n] = DOT(sum[n], NAME(inputs_at)(input + *column + n * pitch), w);
  }
#pragma GCC unroll 8
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
  const int32_t cols = layer->window.in_c, rows = layer->window.out_c;
  const spk_row_blocks_s8_view view = spk_row_blocks_s8_view_of(args->packed);
  const size_t pitch = spk_inputs_pitch(cols);
  uint8_t *copies = args->scratch;
  for (int n = 0; n < images; ++n)
    spk_copy_inputs(input + (size_t)n * cols, cols, FLIP, copies + n * pitch);
  for (int32_t group = args->begin; group < args->end; ++group) {
    const int32_t row = group * LANES, rest = rows - row, count = rest < LANES ? rest : LANES;
    const ROWS r = ROWS_OF(layer, view.sum + row, row, count, INPUT_BIAS);
    VECTOR total[8];
    NAME(group)(&view, group, copies, pitch, total, images, chains);
#pragma GCC unroll 8
    for (int n = 0; n < images; ++n)
      FINISH(total[n], &r, count, output + (size_t)n * rows + row);
  }
}

TARGET static void NAME(run)(const spk_args *args) {
  const size_t cols = (size_t)args->layer->window.in_c;
  const size_t rows = (size_t)args->layer->window.out_c;
  const int8_t *input = args->input;
  int8_t *output = args->output;
  int32_t rest = args->layer->window.batch;
  for (; rest >= 8; rest -= 8, input += 8 * cols, output += 8 * rows)
    NAME(groups)(args, input, output, 8, 1);
  for (; rest >= 2; rest -= 2, input += 2 * cols, output += 2 * rows)
    NAME(groups)(args, input, output, 2, 4);
  if (rest > 0) NAME(groups)(args, input, output, 1, 8);
}
