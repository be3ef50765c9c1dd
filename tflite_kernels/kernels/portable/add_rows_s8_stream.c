// A sparse int8 matrix, packed as a stream, times an int16 vector.
#include "spk/kernels_s8.h"
#include "spk/stream_row_s8.h"

void spk_add_rows_s8_stream__c(const void *weights, int32_t rows, int32_t cols,
                               const int16_t *x, int32_t *sums) {
  (void)cols;  // the stream knows its columns
  const uint8_t *stream = weights;
  for (int32_t r = 0; r < rows; ++r) sums[r] = spk_stream_row_s16(x, &stream, sums[r]);
}
