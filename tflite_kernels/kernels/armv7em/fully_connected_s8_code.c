// FULLY_CONNECTED, int8, weights that are instructions, for Cortex-M4, M7 and M33: the exporter
// writes them for a layer; here is what all such layers share.
#include "spk/kernels_s8.h"
#include "spk/requantize_rows_s8.h"
#include "spk/widen_s8.h"

// Code loads inputs by three words, and so up to two beyond the last.
#define INPUT_BYTES(cols) (SPK_WIDENED((size_t)(cols)) * sizeof(int16_t) + 8)

size_t spk_fully_connected_s8_code__armv7em_scratch(int32_t rows, int32_t cols, int scales) {
  return INPUT_BYTES(cols) + (scales ? 0 : sizeof(int32_t) * (size_t)rows);
}

void spk_fully_connected_s8_code__armv7em(int32_t batch, int32_t rows, int32_t cols,
                                          const spk_requant *q, const int8_t *input,
                                          spk_code_s8 code, const uint32_t *literals,
                                          int8_t *output, void *scratch) {
  int16_t *x = scratch;
  int32_t *sums = (int32_t *)((uint8_t *)scratch + INPUT_BYTES(cols));
  for (int32_t b = 0; b < batch; ++b, input += cols, output += rows) {
    spk_widen_s8(input, cols, q->input_offset, x);
    if (q->multiplier == NULL) {
      code(x, literals, output);
    } else {
      code(x, literals, sums);
      spk_requantize_rows_once_s8(sums, 0, rows, q, output);
    }
  }
}
