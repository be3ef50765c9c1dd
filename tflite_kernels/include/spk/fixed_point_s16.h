// Sigmoid and tanh in 16-bit fixed point: gemmlowp's arithmetic, which TFLite's LSTM uses, bit
// for bit. Qm.n has m integer and n fractional bits beside the sign.
#ifndef SPK_FIXED_POINT_S16_H_
#define SPK_FIXED_POINT_S16_H_

#include "spk/requantize_s8.h"

static inline int32_t spk_saturate_s16(int32_t x) { return spk_clamp(x, INT16_MIN, INT16_MAX); }

// round(a * b / 2^15), ties upwards; no caller has -1 times -1.
SPK_INLINE int32_t spk_mul_s16(int32_t a, int32_t b) { return (a * b + (1 << 14)) >> 15; }

// exp(a) for a in [-1/4, 0), Q0.15: a Taylor series of degree 4 around -1/8.
SPK_INLINE int32_t spk_exp_on_quarter_s16(int32_t a) {
  const int32_t exp_of_minus_eighth = 28918, third = 10923;
  const int32_t x = a + (1 << 12);
  const int32_t x2 = spk_mul_s16(x, x), x3 = spk_mul_s16(x2, x), x4 = spk_mul_s16(x2, x2);
  const int32_t sixth = spk_mul_s16(((x4 + 2) >> 2) + x3, third) + x2;
  const int32_t tail = spk_rounding_shift_right(sixth, 1);
  const int32_t y = exp_of_minus_eighth + spk_mul_s16(exp_of_minus_eighth, x + tail);
  return y < INT16_MAX ? y : INT16_MAX;
}

// exp(a) for a <= 0 with `integer_bits` <= 7: Q0.15 out. The whole quarters of -a choose
// factors exp(-2^k), k = -2 ... 3; exp(-16) is 0 in 15 bits.
SPK_INLINE int32_t spk_exp_of_negative_s16(int32_t a, int32_t integer_bits) {
  const int32_t quarter = 1 << (13 - integer_bits);
  const int32_t rest = (a & (quarter - 1)) - quarter;
  const int32_t quarters = (rest - a) >> (13 - integer_bits);
  if (quarters >= 64) return 0;
  int32_t y = spk_exp_on_quarter_s16(rest * (1 << integer_bits));
  if (quarters & 1) y = spk_mul_s16(y, 25520);
  if (quarters & 2) y = spk_mul_s16(y, 19875);
  if (quarters & 4) y = spk_mul_s16(y, 12055);
  if (quarters & 8) y = spk_mul_s16(y, 4435);
  if (quarters & 16) y = spk_mul_s16(y, 600);
  if (quarters & 32) y = spk_mul_s16(y, 11);
  return y;
}

// 2 / (1 + x) for x in [0, 1], Q0.15 in, Q2.13 out: three Newton-Raphson steps.
SPK_INLINE int32_t spk_two_over_one_plus_s16(int32_t x) {
  const int32_t half_denominator = (x + INT16_MAX + 1) >> 1;
  int32_t y = 23130 + spk_mul_s16(half_denominator, -15420);  // 48/17 - 32/17 d
  for (int step = 0; step < 3; ++step) {
    const int32_t error = (1 << 13) - spk_mul_s16(half_denominator, y);  // |error| < 1 / 8
    y += spk_mul_s16(y, error) * 4;
  }
  return y;
}

// 1 / (1 + exp(-x)): Q3.12 in, Q0.15 out.
SPK_INLINE int16_t spk_sigmoid_s16(int32_t x) {
  if (x == 0) return 1 << 14;
  const int32_t e = spk_exp_of_negative_s16(x > 0 ? -x : x, 3);
  const int32_t twice = spk_two_over_one_plus_s16(e) * 2;
  const int32_t y = twice < INT16_MAX ? twice : INT16_MAX;
  return (int16_t)(x > 0 ? y : INT16_MAX - y);
}

// tanh(x): `integer_bits` <= 6 in, Q0.15 out.
SPK_INLINE int16_t spk_tanh_s16(int32_t x, int32_t integer_bits) {
  if (x == 0) return 0;
  const int32_t e = spk_exp_of_negative_s16(x > 0 ? -x : x, integer_bits + 1);
  const int32_t four_times = (spk_two_over_one_plus_s16(e) - (1 << 13)) * 4;
  const int32_t y = four_times < INT16_MAX ? four_times : INT16_MAX;
  return (int16_t)(x > 0 ? y : -y);
}

#endif  // SPK_FIXED_POINT_S16_H_
