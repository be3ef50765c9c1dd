// FULLY_CONNECTED, int8, dense: the specification.
#include "spk/kernels_s8.h"
#include "spk/requantize_s8.h"

void spk_fully_connected_s8_dense__ref(int32_t batch, int32_t rows, int32_t cols,
                                       const spk_requant *q, const int8_t *input,
                                       const int8_t *weights, const int32_t *bias,
                                       int8_t *output) {
  for (int32_t b = 0; b < batch; ++b, input += cols) {
    const int8_t *weight = weights;
    for (int32_t r = 0; r < rows; ++r) {
      int32_t acc = bias != NULL ? bias[r] : 0;
      for (int32_t c = 0; c < cols; ++c) acc += *weight++ * (input[c] + q->input_offset);
      *output++ = spk_requantize_once_s8(acc, q, r);
    }
  }
}
