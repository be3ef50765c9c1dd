#include "kernels/x86/requantize_f32.h"

#include <float.h>
#include <immintrin.h>
#include <math.h>

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

static int32_t result_of(const spk_requant *q, int32_t channel, int64_t sum) {
  const int32_t scaled_sum =
      spk_multiply((int32_t)sum, q->multiplier[channel], q->shift[channel]);
  return spk_clamp(q->output_offset + scaled_sum, q->act_min, q->act_max);
}

// A sum, and what the reference makes of it.
typedef struct known_sum {
  int64_t sum;
  int32_t result;
} known_sum;

enum { kMostSums = 2 * 255 + 4, kMostNeighbours = 8 };

typedef struct known_sums {
  const spk_requant *q;
  int32_t count;
  known_sum all[kMostSums];
} known_sums;

static void add_sum(known_sums *known, int32_t channel, int64_t sum) {
  known->all[known->count++] = (known_sum){sum, result_of(known->q, channel, sum)};
}

// The sums on both sides of all steps between the least and the most, these, and 0 and -1 if
// they lie between them. None where one is too large.
static void find_sums(known_sums *known, int32_t channel, const spk_sum_range *range) {
  add_sum(known, channel, range->least);
  add_sum(known, channel, range->most);
  for (int64_t sum = -1; sum <= 0; ++sum)
    if (sum >= range->least && sum <= range->most) add_sum(known, channel, sum);
  for (int32_t result = known->q->act_min + 1; result <= known->q->act_max; ++result) {
    const int64_t sum = step_to(known->q, channel, result);
    if (sum <= range->least || sum > range->most) continue;
    if (sum >= 1 << 30 || sum <= -(1 << 30)) {
      known->count = 0;
      return;
    }
    add_sum(known, channel, sum - 1);
    add_sum(known, channel, sum);
  }
}

// Offsets that put results where they belong.
typedef struct offset_range {
  double least, most;
} offset_range;

static float middle(const offset_range *range) {
  return (float)((range->least + range->most) / 2);
}

// Of a sum the result is the one of the reference.
static void narrow(const spk_requant *q, float scale, const known_sum *known,
                   offset_range ranges[2]) {
  const double bound = known->result - 0.5 - (double)scale * (double)known->sum;
  offset_range *range = &ranges[known->sum < 0];
  if (known->result > q->act_min && bound > range->least) range->least = bound;
  if (known->result < q->act_max && bound + 1.0 < range->most) range->most = bound + 1.0;
}

// The offsets in the middle of what is right for all sums; scale 0 where some sum has none.
static spk_scale_f32 with_scale(const known_sums *known, float scale) {
  const spk_requant *q = known->q;
  const double far = 1e6;  // from every step
  offset_range ranges[2] = {{-far, far}, {-far, far}};
  for (int32_t i = 0; i < known->count; ++i) narrow(q, scale, &known->all[i], ranges);
  const spk_scale_f32 found = {scale, middle(&ranges[0]), middle(&ranges[1])};
  for (int32_t i = 0; i < known->count; ++i) {
    const known_sum *each = &known->all[i];
    const int32_t got = scaled(each->sum, scale, each->sum < 0 ? found.below : found.offset);
    if (spk_clamp(got, q->act_min, q->act_max) != each->result) return (spk_scale_f32){0};
  }
  return found;
}

spk_scale_f32 spk_find_scale_f32(const spk_requant *q, int32_t channel,
                                 const spk_sum_range *range) {
  const spk_scale_f32 none = {0};
  const int32_t shift = q->shift[channel], multiplier = q->multiplier[channel];
  if (shift > 0 || range->least < INT32_MIN || range->most > INT32_MAX) return none;
  const int32_t always = result_of(q, channel, range->least);
  if (always == result_of(q, channel, range->most))
    return (spk_scale_f32){FLT_MIN, (float)always, (float)always};
  if (shift > -1 || shift < -20 || multiplier < 1 << 30) return none;
  known_sums known;
  known.q = q;
  known.count = 0;
  find_sums(&known, channel, range);
  // The nearest scale, or one of its neighbours on both sides.
  const float nearest = (float)multiplier / (float)(UINT64_C(1) << (31 - shift));
  float scales[2] = {nearest, nextafterf(nearest, 0.0f)};
  for (int32_t i = 0; i < kMostNeighbours && known.count; ++i) {
    for (int side = 0; side < 2; ++side) {
      const spk_scale_f32 found = with_scale(&known, scales[side]);
      if (found.scale != 0.0f) return found;
      scales[side] = nextafterf(scales[side], side ? 0.0f : FLT_MAX);
    }
  }
  return none;
}

spk_channel_sums spk_sums_of_channel(const spk_layer *layer, const int8_t *weights,
                                     int32_t stride, int32_t channel) {
  const int32_t bias = layer->bias ? ((const int32_t *)layer->bias)[channel] : 0;
  const int32_t offset = layer->requant.input_offset, cols = spk_layer_cols(layer);
  spk_channel_sums sums = {{bias, bias}, 0};
  for (size_t i = 0; i < (size_t)cols; ++i) {
    const int32_t weight = weights[i * (size_t)stride];
    const int32_t high = weight * (127 + offset), low = weight * (offset - 128);
    sums.range.most += high > low ? high : low;
    sums.range.least += high > low ? low : high;
    sums.weights += weight;
  }
  return sums;
}
