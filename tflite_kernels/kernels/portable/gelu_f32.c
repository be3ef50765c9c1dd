// GELU, float32: x times the normal distribution's function, or that by a hyperbolic tangent.
#include "spk/exp_f32.h"
#include "spk/operators_f32.h"

// 1 - erf(x) for x >= 0 to 1.5e-7: Abramowitz and Stegun, 7.1.26.
static float complement_of_erf(float x) {
  const float t = 1.0f / (1.0f + 0.3275911f * x);
  float p = 1.061405429f;
  p = p * t - 1.453152027f;
  p = p * t + 1.421413741f;
  p = p * t - 0.284496736f;
  p = p * t + 0.254829592f;
  return p * t * spk_exp_f32(-x * x);
}

static float gelu(float x) {
  const float size = x < 0.0f ? -x : x;
  const float tail = 0.5f * complement_of_erf(size * 0.70710678f);
  return x < 0.0f ? x * tail : x * (1.0f - tail);
}

// 0.5 * (1 + tanh(y)) is the logistic function of 2 * y.
static float approximate_gelu(float x) {
  const float y = 0.79788456f * (x + 0.044715f * x * x * x);
  return x / (1.0f + spk_exp_f32(-2.0f * y));
}

void spk_gelu_f32__c(int32_t size, int32_t approximate, const float *input, float *output) {
  for (int32_t i = 0; i < size; ++i) {
    output[i] = approximate ? approximate_gelu(input[i]) : gelu(input[i]);
  }
}
