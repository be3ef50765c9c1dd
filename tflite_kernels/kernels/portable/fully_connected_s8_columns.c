// FULLY_CONNECTED, int8, both sides sparse: the weights by columns, dead inputs skipped.
//
// An input that equals its zero point adds nothing to any sum, and its column is passed over
// at the price of reading its header. The others add x * w to the sums of the rows that have
// a weight there:
//
//   for each column c with x = input[c] + offset != 0:
//     for each stored (row, w) of c:  sum[row] += x * w
#include <string.h>

#include "spk/kernels_s8.h"
#include "spk/requantize_rows_s8.h"

size_t spk_fully_connected_s8_columns__c_scratch(int32_t rows) {
  return (size_t)rows * sizeof(int32_t);
}

static void scatter(int32_t *restrict sum, const uint8_t *restrict pair, int32_t pairs,
                    int32_t x) {
  for (; pairs >= 4; pairs -= 4, pair += 8) {
    sum += pair[0];
    *sum += x * (int8_t)pair[1];
    sum += pair[2];
    *sum += x * (int8_t)pair[3];
    sum += pair[4];
    *sum += x * (int8_t)pair[5];
    sum += pair[6];
    *sum += x * (int8_t)pair[7];
  }
  for (; pairs > 0; --pairs, pair += 2) {
    sum += pair[0];
    *sum += x * (int8_t)pair[1];
  }
}

void spk_fully_connected_s8_columns__c(int32_t batch, int32_t rows, int32_t cols,
                                       const spk_requant *q, const int8_t *input,
                                       const uint8_t *columns, const int32_t *bias,
                                       int8_t *output, void *scratch) {
  int32_t *sum = scratch;
  const int32_t offset = q->input_offset;
  for (int32_t b = 0; b < batch; ++b, output += rows) {
    if (bias != NULL) {
      memcpy(sum, bias, (size_t)rows * sizeof(int32_t));
    } else {
      memset(sum, 0, (size_t)rows * sizeof(int32_t));
    }
    const uint8_t *column = columns;
    for (int32_t c = 0; c < cols; ++c) {
      const int32_t pairs = column[0] | column[1] << 8, x = *input++ + offset;
      if (x != 0) scatter(sum, column + 2, pairs, x);
      column += 2 + 2 * pairs;
    }
    spk_requantize_rows_once_s8(sum, 0, rows, q, output);
  }
}
