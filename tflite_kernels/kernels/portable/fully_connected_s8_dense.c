// FULLY_CONNECTED, int8, dense: four output units share every load of an input.
#include "spk/kernels_s8.h"
#include "spk/requantize_rows_s8.h"

// Inlined into another loop it would run short of registers.
SPK_NOINLINE void four_rows(const int8_t *restrict x, const int8_t *restrict weights,
                            int32_t cols, int32_t offset, int32_t sums[4]) {
  const int8_t *w0 = weights, *w1 = w0 + cols, *w2 = w1 + cols, *w3 = w2 + cols;
  int32_t a0 = 0, a1 = 0, a2 = 0, a3 = 0;
  for (int32_t c = 0; c < cols; ++c) {
    const int32_t value = *x++ + offset;
    a0 += value * *w0++;
    a1 += value * *w1++;
    a2 += value * *w2++;
    a3 += value * *w3++;
  }
  sums[0] += a0;
  sums[1] += a1;
  sums[2] += a2;
  sums[3] += a3;
}

static int32_t one_row(const int8_t *restrict x, const int8_t *restrict weights, int32_t cols,
                       int32_t offset) {
  int32_t acc = 0;
  for (int32_t c = 0; c < cols; ++c) acc += (x[c] + offset) * weights[c];
  return acc;
}

// The sums of `count` rows, from the first of them on.
static void some_rows(const int8_t *input, const int8_t *weights, int32_t count, int32_t cols,
                      int32_t offset, int32_t *sums) {
  int32_t r = 0;
  for (; r + 4 <= count; r += 4, weights += 4 * (ptrdiff_t)cols) {
    four_rows(input, weights, cols, offset, sums + r);
  }
  for (; r < count; ++r, weights += cols) sums[r] += one_row(input, weights, cols, offset);
}

static void one_input(int32_t rows, int32_t cols, const spk_requant *q, const int8_t *input,
                      const int8_t *weights, const int32_t *bias, int8_t *output) {
  for (int32_t first = 0; first < rows; first += SPK_ROWS_AT_ONCE) {
    const int32_t left = rows - first;
    const int32_t count = left < SPK_ROWS_AT_ONCE ? left : SPK_ROWS_AT_ONCE;
    int32_t sums[SPK_ROWS_AT_ONCE];
    for (int32_t i = 0; i < count; ++i) sums[i] = bias != NULL ? bias[first + i] : 0;
    some_rows(input, weights + first * (ptrdiff_t)cols, count, cols, q->input_offset, sums);
    spk_requantize_rows_once_s8(sums, first, count, q, output);
  }
}

void spk_fully_connected_s8_dense__c(int32_t batch, int32_t rows, int32_t cols,
                                     const spk_requant *q, const int8_t *input,
                                     const int8_t *weights, const int32_t *bias,
                                     int8_t *output) {
  for (int32_t b = 0; b < batch; ++b, input += cols, output += rows) {
    one_input(rows, cols, q, input, weights, bias, output);
  }
}
