// A sparse int8 matrix, packed as a stream, times an int16 vector.
#include "spk/kernels_s8.h"

static int32_t gather(const int16_t *restrict x, const uint8_t *restrict stream, int32_t pairs,
                      int32_t acc) {
  for (; pairs >= 4; pairs -= 4, stream += 8) {
    x += stream[0];
    acc += *x * (int8_t)stream[1];
    x += stream[2];
    acc += *x * (int8_t)stream[3];
    x += stream[4];
    acc += *x * (int8_t)stream[5];
    x += stream[6];
    acc += *x * (int8_t)stream[7];
  }
  for (; pairs > 0; --pairs, stream += 2) {
    x += stream[0];
    acc += *x * (int8_t)stream[1];
  }
  return acc;
}

void spk_add_rows_s8_stream__c(const void *weights, int32_t rows, int32_t cols,
                               const int16_t *x, int32_t *sums) {
  (void)cols;  // the stream knows its columns
  const uint8_t *stream = weights;
  for (int32_t r = 0; r < rows; ++r) {
    const int32_t pairs = stream[0] | stream[1] << 8;
    sums[r] = gather(x, stream + 2, pairs, sums[r]);
    stream += 2 + 2 * pairs;
  }
}
