// Requantisation in float32 is taken only where it is the reference's, for every sum.
#include <math.h>
#include <stdio.h>

#include "spk/requantize_s8.h"
#include "tests/test.h"

#if defined(__x86_64__)
#include "kernels/x86/kernels_x86.h"
#include "kernels/x86/requantize_f32.h"

static int32_t clamped(const spk_requant *q, int32_t value) {
  return spk_clamp(value, q->act_min, q->act_max);
}

static int check_sums(const spk_requant *q, const spk_scale_f32 *found, int32_t least,
                      int32_t most) {
  for (int32_t sum = least; sum <= most; ++sum) {
    const float offset = sum < 0 ? found->below : found->offset;
    const int32_t got = clamped(q, (int32_t)lrintf(fmaf((float)sum, found->scale, offset)));
    const int32_t expected =
        clamped(q, q->output_offset + spk_multiply(sum, q->multiplier[0], q->shift[0]));
    EXPECT(got == expected, "sum %d: %d, not %d (multiplier %d, shift %d, offset %d)", sum, got,
           expected, q->multiplier[0], q->shift[0], q->output_offset);
    if (got != expected) break;
  }
  return 1;
}

// Sums far beyond the first and the last step; returns whether float32 was taken.
static int check_all(const spk_requant *q) {
  const spk_sum_range all = {INT32_MIN, INT32_MAX};
  const spk_scale_f32 found = spk_find_scale_f32(q, 0, &all);
  if (found.scale == 0.0f) return 0;
  const int32_t most = (int32_t)fminf(400.0f / found.scale, 1 << 22);  // constants: no steps
  return check_sums(q, &found, -most, most);
}

// Sums between two random ones, which may be one and the same.
static int check_range(const spk_requant *q) {
  const int32_t least = spk_random_int(-100000, 100000);
  const int32_t most = least + spk_random_int(0, 3) * spk_random_int(0, 40000);
  const spk_sum_range range = {least, most};
  const spk_scale_f32 found = spk_find_scale_f32(q, 0, &range);
  return found.scale != 0.0f && check_sums(q, &found, least, most);
}

// A channel whose weights are all zero has a scale near zero, or none.
static int check_bias_only(const spk_requant *q) {
  const int32_t bias = spk_random_int(-(1 << 29), 1 << 29) * 2;
  const spk_sum_range range = {bias, bias};
  const spk_scale_f32 found = spk_find_scale_f32(q, 0, &range);
  return found.scale != 0.0f && check_sums(q, &found, bias, bias);
}

static int count_exact(int (*check)(const spk_requant *), int32_t shift, int32_t trials) {
  int exact = 0;
  for (int trial = 0; trial < trials; ++trial) {
    const int32_t multiplier = shift == 0 ? 0 : spk_random_int(1 << 30, INT32_MAX);
    spk_requant q = {.multiplier = &multiplier,
                     .shift = &shift,
                     .output_offset = spk_random_int(-128, 127),
                     .act_min = -128,
                     .act_max = 127};
    if (trial % 2) q.act_min = q.output_offset;
    if (trial % 3 == 0) q.act_max = spk_random_int(q.act_min, 127);
    if (trial % 5 == 0) q.output_offset += 128, q.act_min += 128, q.act_max += 128;  // planes
    exact += check(&q);
  }
  return exact;
}

int main(void) {
  if (!spk_has_avx2()) {
    printf("not on this machine: float32 requantisation\n");
    return 0;
  }
  for (int32_t shift = -12; shift < 0; ++shift) count_exact(check_all, shift, 12);
  const int found = count_exact(check_all, -6, 40),
            in_range = count_exact(check_range, -12, 40);
  EXPECT(found == 40, "float32 is exact %d times of 40", found);
  EXPECT(count_exact(check_all, 3, 10) == 0, "a shift to the left is taken");
  for (int32_t shift = -31; shift < 0; ++shift) count_exact(check_range, shift, 12);
  EXPECT(in_range == 40, "in a range, float32 is exact %d times of 40", in_range);
  for (int32_t shift = -31; shift <= 0; ++shift)
    EXPECT(count_exact(check_bias_only, shift, 10) == 10, "a constant is not taken");
  return spk_test_result();
}
#else
int main(void) { return 0; }
#endif
