// FULLY_CONNECTED, int8, sparse stream, for Cortex-M4, M7 and M33.
//
// Inputs stay int8, their offset is in the bias.
#include "spk/kernels_s8.h"
#include "spk/requantize_rows_s8.h"
#include "spk/stream_row_s8.h"

void spk_fully_connected_s8_stream__armv7em(int32_t batch, int32_t rows, int32_t cols,
                                            const spk_requant *q, const int8_t *input,
                                            const uint8_t *stream, const int32_t *bias,
                                            int8_t *output) {
  for (int32_t b = 0; b < batch; ++b, input += cols, output += rows) {
    const uint8_t *row = stream;
    for (int32_t first = 0; first < rows; first += SPK_ROWS_AT_ONCE) {
      const int32_t left = rows - first;
      const int32_t count = left < SPK_ROWS_AT_ONCE ? left : SPK_ROWS_AT_ONCE;
      int32_t sums[SPK_ROWS_AT_ONCE];
      row = spk_sum_rows_s8_stream__armv7em(input, row, bias + first, count, sums);
      spk_requantize_rows_once_s8(sums, first, count, q, output);
    }
  }
}
