// Many finished accumulators of FULLY_CONNECTED at once, with MVE where the machine has it.
#ifndef SPK_REQUANTIZE_ROWS_MVE_H_
#define SPK_REQUANTIZE_ROWS_MVE_H_

#include "spk/types.h"

// The same as spk_requantize_rows_once_s8.
void spk_requantize_rows_once_s8__mve(const int32_t *sum, int32_t first, int32_t rows,
                                      const spk_requant *q, int8_t *output);

#endif  // SPK_REQUANTIZE_ROWS_MVE_H_
