// UNIDIRECTIONAL_SEQUENCE_LSTM, int8 with 16-bit gates and cell state: each matrix dense or as
// a stream, its four gates in one pass.
#include <string.h>

#include "spk/lstm_update_s8.h"

// Scratch: the sums of a side (4 * units,), the gates (4 * units,), the widened input.
size_t spk_lstm_s8__c_scratch(const spk_lstm *p) {
  const int32_t cols = p->inputs > p->units ? p->inputs : p->units;
  return 4 * (size_t)p->units * (sizeof(int32_t) + sizeof(int16_t)) +
         (size_t)cols * sizeof(int16_t);
}

// sums = what one side says to all gates, not yet scaled. Zero points are in the bias.
static void side_sums(const spk_lstm_side *side, int32_t rows, int32_t cols, const int8_t *x,
                      int16_t *wide, int32_t *sums) {
  for (int32_t c = 0; c < cols; ++c) wide[c] = x[c];
  memcpy(sums, side->bias, (size_t)rows * sizeof(int32_t));
  side->add_rows(side->weights, rows, cols, wide, sums);
}

// gates += the scaled sums, in Q3.12.
static void add_to_gates(const spk_lstm_side *side, int32_t units, const int32_t *sums,
                         int16_t *gates) {
  for (int32_t gate = 0; gate < 4; ++gate) {
    const int32_t multiplier = side->multiplier[gate], shift = side->shift[gate];
    for (int32_t u = 0; u < units; ++u, ++gates) {
      *gates = (int16_t)spk_saturate_s16(*gates + spk_multiply(*sums++, multiplier, shift));
    }
  }
}

static void one_step(const spk_lstm *p, const int8_t *x, int8_t *hidden, int16_t *cell,
                     void *scratch) {
  const int32_t rows = 4 * p->units;
  int32_t *sums = scratch;
  int16_t *gates = (int16_t *)(sums + rows), *wide = gates + rows;
  memset(gates, 0, (size_t)rows * sizeof(int16_t));
  side_sums(p->input, rows, p->inputs, x, wide, sums);
  add_to_gates(p->input, p->units, sums, gates);
  side_sums(p->recurrent, rows, p->units, hidden, wide, sums);
  add_to_gates(p->recurrent, p->units, sums, gates);
  spk_lstm_update_s8(p, gates, hidden, cell);
}

void spk_lstm_s8__c(const spk_lstm *p, const int8_t *input, int8_t *hidden_state,
                    int16_t *cell_state, int8_t *output, void *scratch) {
  const ptrdiff_t units = p->units;
  for (int32_t b = 0; b < p->batch; ++b, hidden_state += units, cell_state += units) {
    for (int32_t t = 0; t < p->time; ++t) {
      const ptrdiff_t at = p->time_major ? t * p->batch + b : b * p->time + t;
      one_step(p, input + at * p->inputs, hidden_state, cell_state, scratch);
      memcpy(output + at * units, hidden_state, (size_t)units);
    }
  }
}
