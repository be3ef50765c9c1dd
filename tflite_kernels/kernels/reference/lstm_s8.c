// UNIDIRECTIONAL_SEQUENCE_LSTM, int8 with 16-bit gates and cell state: the specification.
#include "spk/lstm_update_s8.h"

size_t spk_lstm_s8_dense__ref_scratch(const spk_lstm *p) {
  return 4 * (size_t)p->units * sizeof(int16_t);
}

// What one side adds to row r of the gates, in Q3.12.
static int32_t side_sum(const spk_lstm *p, const spk_lstm_side *side, int32_t cols, int32_t r,
                        const int8_t *x) {
  const int8_t *weight = (const int8_t *)side->weights + (ptrdiff_t)r * cols;
  const int32_t gate = r / p->units;
  int32_t acc = side->bias[r];
  for (int32_t c = 0; c < cols; ++c) acc += weight[c] * x[c];
  return spk_multiply(acc, side->multiplier[gate], side->shift[gate]);
}

static void step(const spk_lstm *p, const int8_t *x, int8_t *hidden, int16_t *cell,
                 int16_t *gates) {
  for (int32_t r = 0; r < 4 * p->units; ++r) {
    const int32_t first = spk_saturate_s16(side_sum(p, p->input, p->inputs, r, x));
    const int32_t both = first + side_sum(p, p->recurrent, p->units, r, hidden);
    gates[r] = (int16_t)spk_saturate_s16(both);
  }
  spk_lstm_update_s8(p, gates, hidden, cell);
}

void spk_lstm_s8_dense__ref(const spk_lstm *p, const int8_t *input, int8_t *hidden_state,
                            int16_t *cell_state, int8_t *output, void *scratch) {
  for (int32_t b = 0; b < p->batch; ++b) {
    int8_t *hidden = hidden_state + (ptrdiff_t)b * p->units;
    for (int32_t t = 0; t < p->time; ++t) {
      const ptrdiff_t at = p->time_major ? t * p->batch + b : b * p->time + t;
      step(p, input + at * p->inputs, hidden, cell_state + (ptrdiff_t)b * p->units, scratch);
      for (int32_t u = 0; u < p->units; ++u) output[at * p->units + u] = hidden[u];
    }
  }
}
