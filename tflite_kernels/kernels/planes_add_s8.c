// Numbers for the sums of planes_s8.h, found by looking at all that there are.
#include <math.h>

#include "kernels/x86/planes_s8.h"

enum { kLowBits = kSpkPlanesLowBits, kMostShift = 21, kNumbers = 256 };

int spk_planes_add_s8_fit(const spk_add *add, spk_planes_add_s8 *fitted) {
  const double unit = ldexp(add->output_multiplier, add->output_shift - 31 + add->left_shift);
  const double a_scale = unit * ldexp(add->a_multiplier, add->a_shift - 31);
  const double b_scale = unit * ldexp(add->b_multiplier, add->b_shift - 31);
  int exponent;
  frexp(fmax(a_scale, b_scale), &exponent);
  const int32_t shift = 15 - exponent < kMostShift ? 15 - exponent : kMostShift;
  if (shift < 1) return 0;
  const int32_t bits = kLowBits + shift;
  const double most = (1 << (2 * kLowBits)) - 1;
  const int64_t a_factor = llround(fmin(most, ldexp(a_scale, bits)));
  const int64_t b_factor = llround(fmin(most, ldexp(b_scale, bits)));
  // All starts from `least` to `greatest` give the sums seen so far.
  int64_t least = INT64_MIN, greatest = INT64_MAX;
  spk_add row = *add;
  row.size = row.b_period = kNumbers;
  int8_t a[kNumbers], b[kNumbers], sum[kNumbers];
  for (int32_t j = 0; j < kNumbers; ++j) b[j] = (int8_t)(j - 128);
  for (int32_t i = 0; i < kNumbers; ++i) {
    for (int32_t j = 0; j < kNumbers; ++j) a[j] = (int8_t)(i - 128);
    spk_add_s8__ref(&row, a, b, sum);
    for (int32_t j = 0; j < kNumbers; ++j) {
      const int64_t from =
          (sum[j] + 128) * (INT64_C(1) << bits) - (i * a_factor + j * b_factor);
      const int64_t to = from + (INT64_C(1) << bits) - 1;
      if (sum[j] > add->act_min && from > least) least = from;
      if (sum[j] < add->act_max && to < greatest) greatest = to;
    }
  }
  if (least > greatest) return 0;
  // Where all sums are cut off, one end is open.
  if (least == INT64_MIN) least = greatest < INT64_MAX ? greatest : 0;
  if (greatest == INT64_MAX) greatest = least;
  const int64_t first = least + (greatest - least) / 2;
  const int32_t mask = (1 << kLowBits) - 1;
  *fitted = (spk_planes_add_s8){
      .high = {(int16_t)(a_factor >> kLowBits), (int16_t)(b_factor >> kLowBits)},
      .low = {(int16_t)(a_factor & mask), (int16_t)(b_factor & mask)},
      .first_high = (int32_t)(first >> kLowBits),
      .first_low = (int32_t)(first & mask),
      .shift = shift,
      .act_min = add->act_min + 128,
      .act_max = add->act_max + 128,
  };
  return 1;
}
