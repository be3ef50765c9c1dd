// Sums of planes are fitted only where they are the reference's, for every pair of numbers.
#include <stdio.h>

#include "kernels/x86/planes_s8.h"
#include "tests/test.h"

enum { kNumbers = 256 };

// The formula of planes_s8.h.
static int32_t fitted_sum(const spk_planes_add_s8 *f, int32_t a, int32_t b) {
  const int32_t low = (f->first_low + a * f->low[0] + b * f->low[1]) >> 15;
  const int32_t high = f->first_high + a * f->high[0] + b * f->high[1];
  const int32_t sum = (high + low) >> f->shift;
  return sum < f->act_min ? f->act_min : sum > f->act_max ? f->act_max : sum;
}

// Returns whether there was a fit.
static int check(spk_add add) {
  spk_planes_add_s8 fitted;
  if (!spk_planes_add_s8_fit(&add, &fitted)) return 0;
  add.size = add.b_period = kNumbers;
  int8_t a[kNumbers], b[kNumbers], sum[kNumbers];
  for (int32_t i = 0; i < kNumbers; ++i) {
    for (int32_t j = 0; j < kNumbers; ++j) a[j] = (int8_t)(i - 128), b[j] = (int8_t)(j - 128);
    spk_add_s8__ref(&add, a, b, sum);
    for (int32_t j = 0; j < kNumbers; ++j) {
      const int32_t got = fitted_sum(&fitted, i, j);
      const int32_t wanted = sum[j] + 128;
      EXPECT(got == wanted, "%d and %d: %d, not %d", i - 128, j - 128, got, wanted);
      if (got != wanted) return 1;
    }
  }
  return 1;
}

// The larger input's scale is half of the common one, 2^(20 - 31 + shift) of the output's.
static spk_add random_add(int32_t shift) {
  spk_add add = {
      .a_offset = spk_random_int(-127, 128),
      .b_offset = spk_random_int(-127, 128),
      .output_offset = spk_random_int(-128, 127),
      .a_multiplier = 1 << 30,
      .b_multiplier = spk_random_int(1 << 30, INT32_MAX),
      .b_shift = -spk_random_int(1, 8),
      .output_multiplier = spk_random_int(1 << 30, INT32_MAX),
      .output_shift = shift,
      .left_shift = 20,
      .act_min = -128,
      .act_max = 127,
  };
  if (spk_random_int(0, 1)) {
    const spk_add turned = add;
    add.a_multiplier = turned.b_multiplier, add.a_shift = turned.b_shift;
    add.b_multiplier = turned.a_multiplier, add.b_shift = turned.a_shift;
  }
  if (spk_random_int(0, 1)) add.act_min = add.output_offset;
  if (spk_random_int(0, 2) == 0) add.act_max = spk_random_int(add.act_min, 127);
  return add;
}

static int count_fitted(int32_t shift, int32_t trials) {
  int fitted = 0;
  for (int32_t trial = 0; trial < trials; ++trial) fitted += check(random_add(shift));
  return fitted;
}

int main(void) {
  for (int32_t shift = -31; shift <= 0; ++shift) count_fitted(shift, 10);
  const int32_t fitted = count_fitted(-19, 200);
  EXPECT(fitted >= 190, "of 200 sums only %d are fitted", fitted);

  // (a + b) / 2, rounded away from zero on both sides of it.
  spk_add ties = {.a_multiplier = 1 << 30,
                  .b_multiplier = 1 << 30,
                  .output_multiplier = 1 << 30,
                  .output_shift = -19,
                  .left_shift = 20,
                  .act_min = -128,
                  .act_max = 127};
  EXPECT(!check(ties), "ties are fitted");
  ties.act_min = 0;  // but not where one side is cut off
  EXPECT(check(ties), "ties of one side are not fitted");

  for (int32_t at = -128; at < 128; at += 51) {  // all sums are cut off
    spk_add cut = random_add(-19);
    cut.act_min = cut.act_max = at;
    EXPECT(check(cut), "sums that are all %d are not fitted", at);
  }
  spk_add nothing = ties;
  nothing.output_multiplier = nothing.output_shift = 0;
  EXPECT(check(nothing), "sums that vanish are not fitted");
  return spk_test_result();
}
