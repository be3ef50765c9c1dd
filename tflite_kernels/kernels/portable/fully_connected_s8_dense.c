// FULLY_CONNECTED, int8, dense: four output units share every load of an input.
#include "spk/kernels_s8.h"
#include "spk/requantize_s8.h"

static void four_rows(const int8_t *restrict x, const int8_t *restrict weights, int32_t cols,
                      int32_t offset, int32_t sums[4]) {
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

static void one_input(int32_t rows, int32_t cols, const spk_requant *q, const int8_t *input,
                      const int8_t *weights, const int32_t *bias, int8_t *output) {
  int32_t r = 0;
  for (; r + 4 <= rows; r += 4, weights += 4 * (ptrdiff_t)cols) {
    int32_t sums[4] = {0, 0, 0, 0};
    four_rows(input, weights, cols, q->input_offset, sums);
    for (int32_t i = 0; i < 4; ++i) {
      output[r + i] =
          spk_requantize_once_s8(sums[i] + (bias != NULL ? bias[r + i] : 0), q, r + i);
    }
  }
  for (; r < rows; ++r, weights += cols) {
    const int32_t sum = one_row(input, weights, cols, q->input_offset);
    output[r] = spk_requantize_once_s8(sum + (bias != NULL ? bias[r] : 0), q, r);
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
