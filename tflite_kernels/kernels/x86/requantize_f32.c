#include "kernels/x86/requantize_f32.h"

#include <immintrin.h>

#include "spk/requantize_s8.h"

// The smallest sum of which the reference makes `result` or more, in exact arithmetic; see
// requantize.h for the two roundings.
static int64_t step_to(const spk_requant *q, int32_t channel, int32_t result) {
  const int s = -q->shift[channel];
  const int64_t m = q->multiplier[channel];
  const int64_t half_way =
      (int64_t)(result - q->output_offset) * (INT64_C(1) << s) - (INT64_C(1) << (s - 1));
  const int64_t product = (half_way + (half_way < 0)) * (INT64_C(1) << 31) - (INT64_C(1) << 30);
  return product / m + (product % m > 0);  // rounded up
}

__attribute__((target("avx2,fma"))) static int32_t scaled(int64_t sum, float scale,
                                                          float offset) {
  const __m128 value = _mm_cvtsi32_ss(_mm_setzero_ps(), (int)sum);
  return _mm_cvtss_si32(_mm_fmadd_ss(value, _mm_set_ss(scale), _mm_set_ss(offset)));
}

static int32_t reference(const spk_requant *q, int32_t channel, int64_t sum) {
  return q->output_offset +
         spk_multiply((int32_t)sum, q->multiplier[channel], q->shift[channel]);
}

// What the float32 way makes of a sum, and the reference: the same, once both are clamped?
static int is_equal(const spk_requant *q, int32_t channel, int64_t sum,
                    const spk_scale_f32 *found) {
  const int32_t got = scaled(sum, found->scale, sum < 0 ? found->below : found->offset);
  return spk_clamp(got, q->act_min, q->act_max) ==
         spk_clamp(reference(q, channel, sum), q->act_min, q->act_max);
}

// Offsets that put steps between the sums where they belong.
typedef struct offset_range {
  double least, most;
} offset_range;

static float middle(const offset_range *range) {
  return (float)((range->least + range->most) / 2);
}

// From `sum` on, the result is at least `result`, for the sum before it less.
static void narrow(offset_range *ranges, float scale, int64_t sum, int32_t result) {
  const double bound = result - 0.5 - (double)scale * (double)sum;
  offset_range *from = &ranges[sum < 0], *before = &ranges[sum - 1 < 0];
  if (bound > from->least) from->least = bound;
  if (bound + (double)scale < before->most) before->most = bound + (double)scale;
}

spk_scale_f32 spk_find_scale_f32(const spk_requant *q, int32_t channel) {
  const spk_scale_f32 none = {0};
  const int32_t shift = q->shift[channel], multiplier = q->multiplier[channel];
  if (shift > -1 || shift < -20 || multiplier < 1 << 30) return none;
  spk_scale_f32 found = {.scale = (float)multiplier / (float)(UINT64_C(1) << (31 - shift))};
  const double far = 1e6;  // from every step
  offset_range ranges[2] = {{-far, far}, {-far, far}};
  for (int32_t result = q->act_min + 1; result <= q->act_max; ++result) {
    const int64_t sum = step_to(q, channel, result);
    if (sum >= 1 << 30 || sum <= -(1 << 30)) return none;
    narrow(ranges, found.scale, sum, result);
  }
  found.offset = middle(&ranges[0]);
  const int has_steps_below = ranges[1].least > -far || ranges[1].most < far;
  found.below = has_steps_below ? middle(&ranges[1]) : found.offset;
  for (int32_t result = q->act_min + 1; result <= q->act_max; ++result) {
    const int64_t sum = step_to(q, channel, result);
    if (!is_equal(q, channel, sum, &found) || !is_equal(q, channel, sum - 1, &found))
      return none;
  }
  if (!is_equal(q, channel, 0, &found) || !is_equal(q, channel, -1, &found)) return none;
  return found;
}
