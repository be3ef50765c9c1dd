// A dense int8 matrix times an int16 vector, exact in 64 bits.
#include "spk/kernels_s8.h"

enum { kRun = 511 };  // products that 32 bits hold: 511 * 2^15 * 2^7 < 2^31

void spk_sum_rows_s16_dense__c(const void *weights, int32_t rows, int32_t cols,
                               const int16_t *x, int64_t *sums) {
  const int8_t *row = weights;
  for (int32_t r = 0; r < rows; ++r) {
    int64_t sum = 0;
    for (int32_t first = 0; first < cols; first += kRun) {
      const int32_t left = cols - first, run = left < kRun ? left : kRun;
      const int16_t *const values = x + first;
      int32_t acc = 0;
      for (int32_t c = 0; c < run; ++c) acc += row[c] * values[c];
      row += run;
      sum += acc;
    }
    sums[r] = sum;
  }
}
