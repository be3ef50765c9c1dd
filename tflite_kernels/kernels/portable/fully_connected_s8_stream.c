// FULLY_CONNECTED, int8, sparse stream.
//
// One input row: its values, offset added, are widened once and then gathered.
// Several rows: a 1x1 convolution over `batch` pixels.
#include "spk/kernels_s8.h"
#include "spk/requantize_rows_s8.h"
#include "spk/stream_row_s8.h"

static spk_window2d as_convolution(int32_t batch, int32_t rows, int32_t cols) {
  const spk_window2d w = {.batch = 1,
                          .in_h = 1,
                          .in_w = batch,
                          .in_c = cols,
                          .out_h = 1,
                          .out_w = batch,
                          .out_c = rows,
                          .kernel_h = 1,
                          .kernel_w = 1,
                          .stride_h = 1,
                          .stride_w = 1,
                          .dilation_h = 1,
                          .dilation_w = 1,
                          .pad_top = 0,
                          .pad_left = 0};
  return w;
}

size_t spk_fully_connected_s8_stream__c_scratch(int32_t batch, int32_t rows, int32_t cols) {
  if (batch == 1) return (size_t)cols * sizeof(int16_t);
  const spk_window2d w = as_convolution(batch, rows, cols);
  return spk_conv2d_s8_stream__c_scratch(&w);
}

void spk_fully_connected_s8_stream__c(int32_t batch, int32_t rows, int32_t cols,
                                      const spk_requant *q, const int8_t *input,
                                      const uint8_t *stream, const int32_t *bias,
                                      int8_t *output, void *scratch) {
  if (batch > 1) {
    const spk_window2d w = as_convolution(batch, rows, cols);
    spk_requant once = *q;
    once.round_once = 1;
    spk_conv2d_s8_stream__c(&w, &once, input, stream, bias, output, scratch);
    return;
  }
  int16_t *x = scratch;
  for (int32_t c = 0; c < cols; ++c) x[c] = (int16_t)(input[c] + q->input_offset);
  for (int32_t first = 0; first < rows; first += SPK_ROWS_AT_ONCE) {
    const int32_t left = rows - first;
    const int32_t count = left < SPK_ROWS_AT_ONCE ? left : SPK_ROWS_AT_ONCE;
    int32_t sums[SPK_ROWS_AT_ONCE];
    for (int32_t i = 0; i < count; ++i) {
      sums[i] = spk_stream_row_s16(x, &stream, bias != NULL ? bias[first + i] : 0);
    }
    spk_requantize_rows_once_s8(sums, first, count, q, output);
  }
}
