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

// Sums far beyond the first and the last step; returns whether float32 was taken.
static int check_channel(const spk_requant *q) {
  const spk_scale_f32 found = spk_find_scale_f32(q, 0);
  if (found.scale == 0.0f) return 0;
  const int32_t most = (int32_t)(400.0f / found.scale);
  for (int32_t sum = -most; sum <= most; ++sum) {
    const float offset = sum < 0 ? found.below : found.offset;
    const int32_t got = clamped(q, (int32_t)lrintf(fmaf((float)sum, found.scale, offset)));
    const int32_t expected =
        clamped(q, q->output_offset + spk_multiply(sum, q->multiplier[0], q->shift[0]));
    EXPECT(got == expected, "sum %d: %d, not %d (multiplier %d, shift %d, offset %d)", sum, got,
           expected, q->multiplier[0], q->shift[0], q->output_offset);
    if (got != expected) break;
  }
  return 1;
}

static int count_exact(int32_t shift, int32_t trials) {
  int exact = 0;
  for (int trial = 0; trial < trials; ++trial) {
    const int32_t multiplier = spk_random_int(1 << 30, INT32_MAX);
    spk_requant q = {.multiplier = &multiplier,
                     .shift = &shift,
                     .output_offset = spk_random_int(-128, 127),
                     .act_min = -128,
                     .act_max = 127};
    if (trial % 2) q.act_min = q.output_offset;
    if (trial % 3 == 0) q.act_max = spk_random_int(q.act_min, 127);
    exact += check_channel(&q);
  }
  return exact;
}

int main(void) {
  if (!spk_has_avx2()) {
    printf("not on this machine: float32 requantisation\n");
    return 0;
  }
  for (int32_t shift = -12; shift < 0; ++shift) count_exact(shift, 12);
  EXPECT(count_exact(-6, 40) >= 30, "float32 is hardly ever exact");
  EXPECT(count_exact(0, 10) == 0 && count_exact(3, 10) == 0, "a shift to the left is taken");
  return spk_test_result();
}
#else
int main(void) { return 0; }
#endif
