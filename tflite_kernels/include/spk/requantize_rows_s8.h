// Many finished accumulators at once.
#ifndef SPK_REQUANTIZE_ROWS_S8_H_
#define SPK_REQUANTIZE_ROWS_S8_H_

#include "spk/requantize_s8.h"

// output[r] = spk_requantize_once_s8(sum[r], q, r) for every row.
void spk_requantize_rows_once_s8(const int32_t *sum, int32_t rows, const spk_requant *q,
                                 int8_t *output);

#endif  // SPK_REQUANTIZE_ROWS_S8_H_
