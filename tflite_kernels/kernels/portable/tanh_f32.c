// TANH, float32: by the exponential, and near zero, where that cancels, by its series.
#include "spk/exp_f32.h"
#include "spk/operators_f32.h"

static float hyperbolic_tangent(float x) {
  const float size = x < 0.0f ? -x : x, square = x * x;
  if (size < 0.25f) {
    return x * (1.0f + square * (-1.0f / 3 + square * (2.0f / 15 - square * (17.0f / 315))));
  }
  const float high = 1.0f - 2.0f / (spk_exp_f32(2.0f * size) + 1.0f);
  return x < 0.0f ? -high : high;
}

void spk_tanh_f32__c(int32_t size, const float *input, float *output) {
  for (int32_t i = 0; i < size; ++i) output[i] = hyperbolic_tangent(input[i]);
}
