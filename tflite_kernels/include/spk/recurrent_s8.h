// int8 operators that remember: their state lies in the caller's memory from call to call.
//
// TFLite's reference arithmetic, bit for bit. What spk/kernels_s8.h says of shapes, scratch and
// packed streams holds here too.
#ifndef SPK_RECURRENT_S8_H_
#define SPK_RECURRENT_S8_H_

#include "spk/types.h"

#ifdef __cplusplus
extern "C" {
#endif

// sums[r] += weights[r] . x for a matrix (rows, cols) in the form that the function reads:
// dense int8, or its stream (see spk/formats.h).
typedef void (*spk_add_rows)(const void *weights, int32_t rows, int32_t cols, const int16_t *x,
                             int32_t *sums);
void spk_add_rows_s8_dense__c(const void *weights, int32_t rows, int32_t cols, const int16_t *x,
                              int32_t *sums);
void spk_add_rows_s8_stream__c(const void *weights, int32_t rows, int32_t cols,
                               const int16_t *x, int32_t *sums);

// ---- UNIDIRECTIONAL_SEQUENCE_LSTM without peepholes, projection and layer normalisation.
// Four gates of `units` rows stand one below the other in every matrix: input, forget, cell,
// output. Biases hold -zero point * weights.
typedef struct spk_lstm_side {
  spk_add_rows add_rows;            // NULL for the reference kernel, which reads dense weights
  const void *weights;              // (4 * units, cols)
  const int32_t *bias;              // (4 * units,)
  int32_t multiplier[4], shift[4];  // of each gate, to Q3.12
} spk_lstm_side;

typedef struct spk_lstm {
  int32_t batch, time, inputs, units;
  int32_t time_major;              // input is (time, batch, inputs), not (batch, time, inputs)
  const spk_lstm_side *input;      // cols == inputs
  const spk_lstm_side *recurrent;  // cols == units
  int32_t cell_bits;               // integer bits of the cell state, in [0, 6]
  int32_t cell_clip;               // 0 for none
  int32_t hidden_multiplier, hidden_shift, hidden_zero_point;
} spk_lstm;

// hidden_state is (batch, units), cell_state (batch, units); output is input's shape with
// `units` last.
void spk_lstm_s8_dense__ref(const spk_lstm *p, const int8_t *input, int8_t *hidden_state,
                            int16_t *cell_state, int8_t *output, void *scratch);
size_t spk_lstm_s8_dense__ref_scratch(const spk_lstm *p);
void spk_lstm_s8__c(const spk_lstm *p, const int8_t *input, int8_t *hidden_state,
                    int16_t *cell_state, int8_t *output, void *scratch);
size_t spk_lstm_s8__c_scratch(const spk_lstm *p);

// ---- SVDF: rank-1 filters over time. Each of `rank * units` filters sees the input as one
// int16 feature, remembers the last `memory` of them, and weighs those; a unit is the sum of
// its `rank` neighbouring filters, clamped to int8 alone (TFLite knows no other activation
// there).
typedef struct spk_svdf {
  int32_t batch, inputs, units, rank, memory;
  spk_add_rows add_rows;        // NULL for the reference kernel, which reads dense weights
  const void *feature_weights;  // (rank * units, inputs)
  const int16_t *time_weights;  // (rank * units, memory), the oldest first
  const int32_t *bias;          // (units,) or NULL
  int32_t input_offset;         // -input zero point
  int32_t feature_multiplier, feature_shift;
  int32_t output_multiplier, output_shift, output_zero_point;
} spk_svdf;

// state is (batch, rank * units, memory), the oldest first.
void spk_svdf_s8_dense__ref(const spk_svdf *p, const int8_t *input, int16_t *state,
                            int8_t *output);
void spk_svdf_s8__c(const spk_svdf *p, const int8_t *input, int16_t *state, int8_t *output,
                    void *scratch);
size_t spk_svdf_s8__c_scratch(const spk_svdf *p);

#ifdef __cplusplus
}
#endif
#endif  // SPK_RECURRENT_S8_H_
