// A sparse int8 matrix, packed as a stream, times an int16 vector, exact in 64 bits.
#include "spk/kernels_s8.h"

enum { kRun = 511 };  // products that 32 bits hold: 511 * 2^15 * 2^7 < 2^31

void spk_sum_rows_s16_stream__c(const void *weights, int32_t rows, int32_t cols,
                                const int16_t *x, int64_t *sums) {
  (void)cols;  // the stream knows its columns
  const uint8_t *stream = weights;
  for (int32_t r = 0; r < rows; ++r) {
    int32_t pairs = stream[0] | stream[1] << 8;
    stream += 2;
    const int16_t *value = x;
    int64_t sum = 0;
    for (int32_t run; pairs > 0; pairs -= run) {
      run = pairs < kRun ? pairs : kRun;
      int32_t acc = 0;
      for (int32_t i = 0; i < run; ++i, stream += 2) {
        value += stream[0];
        acc += *value * (int8_t)stream[1];
      }
      sum += acc;
    }
    sums[r] = sum;
  }
}
