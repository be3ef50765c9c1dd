// DEQUANTIZE int16 -> float32, at the end of a model.
#include "spk/kernels_s8.h"

void spk_dequantize_s16_f32__ref(int32_t size, float scale, const int16_t *input,
                                 float *output) {
  for (int32_t i = 0; i < size; ++i) output[i] = scale * (float)input[i];
}
