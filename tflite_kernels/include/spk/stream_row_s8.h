// One row of a sparse stream times a vector.
#ifndef SPK_STREAM_ROW_S8_H_
#define SPK_STREAM_ROW_S8_H_

#include "spk/requantize_s8.h"

// acc + sum w * x[column] of the row at *stream, which moves on to the next row. The caller has
// added offset * sum w to its bias.
SPK_INLINE int32_t spk_stream_row_s8(const int8_t *restrict x, const uint8_t **stream,
                                     int32_t acc) {
  const uint8_t *restrict pair = *stream + 2;
  int32_t pairs = pair[-2] | pair[-1] << 8;
  *stream = pair + 2 * (ptrdiff_t)pairs;
  uint32_t sum = (uint32_t)acc;  // wraps around: the whole is in range, its parts need not be
  for (; pairs >= 4; pairs -= 4, pair += 8) {
    x += pair[0];
    sum += (uint32_t)(*x * (int8_t)pair[1]);
    x += pair[2];
    sum += (uint32_t)(*x * (int8_t)pair[3]);
    x += pair[4];
    sum += (uint32_t)(*x * (int8_t)pair[5]);
    x += pair[6];
    sum += (uint32_t)(*x * (int8_t)pair[7]);
  }
  for (; pairs > 0; --pairs, pair += 2) {
    x += pair[0];
    sum += (uint32_t)(*x * (int8_t)pair[1]);
  }
  return (int32_t)sum;
}

// The same for int16 inputs, which hold the offset already: no part is out of range.
SPK_INLINE int32_t spk_stream_row_s16(const int16_t *restrict x, const uint8_t **stream,
                                      int32_t acc) {
  const uint8_t *restrict pair = *stream + 2;
  int32_t pairs = pair[-2] | pair[-1] << 8;
  *stream = pair + 2 * (ptrdiff_t)pairs;
  for (; pairs >= 4; pairs -= 4, pair += 8) {
    x += pair[0];
    acc += *x * (int8_t)pair[1];
    x += pair[2];
    acc += *x * (int8_t)pair[3];
    x += pair[4];
    acc += *x * (int8_t)pair[5];
    x += pair[6];
    acc += *x * (int8_t)pair[7];
  }
  for (; pairs > 0; --pairs, pair += 2) {
    x += pair[0];
    acc += *x * (int8_t)pair[1];
  }
  return acc;
}

// sums[] = bias[] + the sums of `count` rows of an odd count of pairs, which are aligned to 4
// bytes; returns the end of their stream. `sums` may be `bias`.
const uint8_t *spk_sum_rows_s8_stream__armv7em(const int8_t *x, const uint8_t *stream,
                                               const int32_t *bias, int32_t count,
                                               int32_t *sums);

#endif  // SPK_STREAM_ROW_S8_H_
