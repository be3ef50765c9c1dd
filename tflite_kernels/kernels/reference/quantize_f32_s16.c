// QUANTIZE float32 -> int16, at the start of a model.
#include "spk/kernels_s8.h"
#include "spk/requantize_s8.h"

// Ties away from zero, saturating, and without the maths library.
static int32_t rounded(float x) {
  if (!(x > -1e6f)) return -1000000;  // NaN goes this way too
  if (x > 1e6f) return 1000000;
  const int32_t whole = (int32_t)x;
  const float rest = x - (float)whole;
  return whole + (rest >= 0.5f) - (rest <= -0.5f);
}

void spk_quantize_f32_s16__ref(int32_t size, float scale, const float *input, int16_t *output) {
  for (int32_t i = 0; i < size; ++i) {
    output[i] = (int16_t)spk_clamp(rounded(input[i] / scale), INT16_MIN, INT16_MAX);
  }
}
