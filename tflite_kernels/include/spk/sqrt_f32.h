// Square roots without the maths library.
#ifndef SPK_SQRT_F32_H_
#define SPK_SQRT_F32_H_

#include <stdint.h>
#include <string.h>

// Half the exponent is a guess to 4 %, and each of three steps doubles the digits that are
// right. The root of a negative number is none.
static inline float spk_sqrt_f32(float x) {
  const float zero = 0.0f;
  if (x <= zero || x != x) return x == zero ? x : zero / zero;
  if (x > 3.4028235e38f) return x;  // infinity
  float power = 1.0f;
  if (x < 1.0e-30f) x *= 1.8446744e19f, power = 2.3283064e-10f;  // 2^64 and 2^-32
  uint32_t bits;
  memcpy(&bits, &x, sizeof bits);
  bits = (bits >> 1) + 0x1FBD1DF5u;
  float y;
  memcpy(&y, &bits, sizeof y);
  y = 0.5f * (y + x / y);
  y = 0.5f * (y + x / y);
  y = 0.5f * (y + x / y);
  return y * power;
}

#endif  // SPK_SQRT_F32_H_
