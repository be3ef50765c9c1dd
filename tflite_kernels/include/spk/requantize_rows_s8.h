// Many finished accumulators at once.
#ifndef SPK_REQUANTIZE_ROWS_S8_H_
#define SPK_REQUANTIZE_ROWS_S8_H_

#include "spk/requantize_s8.h"

// Sums of so many rows at a time are kept before they are scaled.
enum { SPK_ROWS_AT_ONCE = 64 };

// output[first + i] = spk_requantize_once_s8(sum[i], q, first + i) for `rows` rows.
void spk_requantize_rows_once_s8(const int32_t *sum, int32_t first, int32_t rows,
                                 const spk_requant *q, int8_t *output);

#endif  // SPK_REQUANTIZE_ROWS_S8_H_
