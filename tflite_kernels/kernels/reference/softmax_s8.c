// SOFTMAX, int8, in gemmlowp's fixed point: exp and 1 / (1 + x) as TFLite's
// reference computes them, bit for bit.
// It runs over a few numbers at the end of a network; -O3 would double it.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O2")
#endif

#include "spk/kernels_s8.h"
#include "spk/requantize_s8.h"

// x * 2^exponent, saturating; x is Q0.31 or wider.
static int32_t shift_left(int32_t x, int32_t exponent) {
  const int64_t wide = (int64_t)x * ((int64_t)1 << exponent);
  return wide > INT32_MAX ? INT32_MAX : wide < INT32_MIN ? INT32_MIN : (int32_t)wide;
}

// round(a * b / 2^31) for either sign.
static int32_t mul(int32_t a, int32_t b) {
  if (a == INT32_MIN && b == INT32_MIN) return INT32_MAX;
  return spk_doubling_high_mul(a, b);
}

// exp(a) for a in [-1/4, 0), Q0.31: a Taylor series of degree 4 around -1/8.
static int32_t exp_on_quarter(int32_t a) {
  const int32_t exp_of_minus_eighth = 1895147668, third = 715827883;
  const int32_t x = a + (1 << 28);
  const int32_t x2 = mul(x, x), x3 = mul(x2, x), x4 = mul(x2, x2);
  const int32_t x4_over_4 = spk_rounding_shift_right(x4, 2);
  const int32_t tail = spk_rounding_shift_right(mul(x4_over_4 + x3, third) + x2, 1);
  return exp_of_minus_eighth + mul(exp_of_minus_eighth, x + tail);
}

// exp(a) for a <= 0: Q5.26 in, Q0.31 out. The whole quarters of -a choose factors
// exp(-2^k), k = -2 ... 4.
static int32_t exp_of_negative(int32_t a) {
  static const int32_t factors[7] = {1672461947, 1302514674, 790015084, 290630308,
                                     39332535,   720401,     242};
  if (a == 0) return INT32_MAX;
  const int32_t quarter = 1 << 24;
  const int32_t rest = (a & (quarter - 1)) - quarter;
  int32_t result = exp_on_quarter(shift_left(rest, 5));
  const int32_t quarters = rest - a;
  for (int32_t k = 0; k < 7; ++k) {
    if (quarters & (quarter << k)) result = mul(result, factors[k]);
  }
  return result;
}

// 1 / (1 + x) for x in [0, 1), Q0.31: three Newton-Raphson steps in Q2.29.
static int32_t reciprocal_of_one_plus(int32_t x) {
  const int32_t half_denominator = (int32_t)(((int64_t)x + INT32_MAX + 1) / 2);
  int32_t y = 1515870810 + mul(half_denominator, -1010580540);  // 48/17 - 32/17 d
  for (int step = 0; step < 3; ++step) {
    const int32_t error = (1 << 29) - mul(half_denominator, y);
    y += shift_left(mul(y, error), 2);
  }
  return shift_left(y, 1);
}

static int32_t leading_zeros(uint32_t x) {
  int32_t zeros = 0;
  for (; (x & 0x80000000u) == 0; x <<= 1) ++zeros;
  return zeros;
}

static int32_t scaled_exp(const spk_softmax *p, int32_t difference) {
  return exp_of_negative(spk_multiply(difference, p->multiplier, p->left_shift));
}

static void softmax_row(const spk_softmax *p, const int8_t *input, int8_t *output) {
  int32_t highest = INT8_MIN;
  for (int32_t c = 0; c < p->depth; ++c) highest = input[c] > highest ? input[c] : highest;
  int32_t sum = 0;  // Q12.19, at least 1
  for (int32_t c = 0; c < p->depth; ++c) {
    const int32_t difference = input[c] - highest;
    if (difference >= p->diff_min) {
      sum += spk_rounding_shift_right(scaled_exp(p, difference), 12);
    }
  }
  const int32_t headroom = leading_zeros((uint32_t)sum);
  const int32_t scale =
      reciprocal_of_one_plus((int32_t)(((uint32_t)sum << headroom) - 0x80000000u));
  const int32_t exponent = 12 - headroom + 31 - 8;
  for (int32_t c = 0; c < p->depth; ++c) {
    const int32_t difference = input[c] - highest;
    int32_t value = 0;
    if (difference >= p->diff_min) {
      value = spk_rounding_shift_right(mul(scale, scaled_exp(p, difference)), exponent);
    }
    output[c] = (int8_t)spk_clamp(value + INT8_MIN, INT8_MIN, INT8_MAX);
  }
}

void spk_softmax_s8__ref(const spk_softmax *p, const int8_t *input, int8_t *output) {
  for (int32_t r = 0; r < p->rows; ++r, input += p->depth, output += p->depth) {
    softmax_row(p, input, output);
  }
}
