// A dense int8 matrix times an int16 vector: four rows share every load of the vector.
#include "spk/kernels_s8.h"
#include "spk/requantize_s8.h"

// Inlined into another loop it would run short of registers.
SPK_NOINLINE void four_rows(const int8_t *restrict weights, int32_t cols,
                            const int16_t *restrict x, int32_t sums[4]) {
  const int8_t *w0 = weights, *w1 = w0 + cols, *w2 = w1 + cols, *w3 = w2 + cols;
  int32_t a0 = sums[0], a1 = sums[1], a2 = sums[2], a3 = sums[3];
  for (int32_t c = 0; c < cols; ++c) {
    const int32_t value = *x++;
    a0 += value * *w0++;
    a1 += value * *w1++;
    a2 += value * *w2++;
    a3 += value * *w3++;
  }
  sums[0] = a0;
  sums[1] = a1;
  sums[2] = a2;
  sums[3] = a3;
}

void spk_add_rows_s8_dense__c(const void *weights, int32_t rows, int32_t cols, const int16_t *x,
                              int32_t *sums) {
  const int8_t *row = weights;
  int32_t r = 0;
  for (; r + 4 <= rows; r += 4, row += 4 * (ptrdiff_t)cols) four_rows(row, cols, x, sums + r);
  for (; r < rows; ++r, row += cols) {
    for (int32_t c = 0; c < cols; ++c) sums[r] += row[c] * x[c];
  }
}
