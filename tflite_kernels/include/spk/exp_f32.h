// Exponentials without the maths library, to 3e-7 of the result.
#ifndef SPK_EXP_F32_H_
#define SPK_EXP_F32_H_

#include <stdint.h>
#include <string.h>

// e^x = 2^n * e^r with |r| <= ln(2) / 2; e^r by the polynomial of Cephes' expf. Below -87 it is
// 0, above 88 it stays.
static inline float spk_exp_f32(float x) {
  if (x != x) return x;
  if (x < -87.0f) return 0.0f;
  if (x > 88.0f) x = 88.0f;
  const float halves = x * 1.44269504f;
  const int32_t n = (int32_t)(halves < 0.0f ? halves - 0.5f : halves + 0.5f);
  const float r =
      x - (float)n * 0.693359375f + (float)n * 2.12194440e-4f;  // ln(2) in two parts
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  const uint32_t bits = (uint32_t)(n + 127) << 23;
  float power;
  memcpy(&power, &bits, sizeof power);
  return (p * r * r + r + 1.0f) * power;
}

#endif  // SPK_EXP_F32_H_
