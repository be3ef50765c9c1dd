// From 64-bit sums to int16 (see spk_requant_s16).
#ifndef SPK_REQUANTIZE_S16_H_
#define SPK_REQUANTIZE_S16_H_

#include "spk/kernels_s8.h"
#include "spk/requantize_s8.h"

// round(acc * (multiplier + low / 2^32) / 2^right), ties away from zero, |acc| < 2^31.
SPK_INLINE int32_t spk_scale_once_s16(int32_t acc, int32_t multiplier, uint32_t low,
                                      int32_t right) {
  const uint32_t size = acc < 0 ? 0u - (uint32_t)acc : (uint32_t)acc;
  const uint64_t product =
      (uint64_t)size * (uint32_t)multiplier + ((uint64_t)size * low >> 32);  // below 2^62
  const uint64_t rounded = (product + ((uint64_t)1 << (right - 1))) >> right;
  const int32_t scaled = rounded > UINT16_MAX ? UINT16_MAX : (int32_t)rounded;  // is clamped
  return acc < 0 ? -scaled : scaled;
}

static inline int16_t spk_requantize_s16(int64_t acc, const spk_requant_s16 *q, int32_t c) {
  if (q->bias != NULL) acc += q->bias[c];
  const int32_t multiplier = q->multiplier[c], right = q->right[c];
  int32_t scaled;
  if (q->low != NULL) {
    scaled = spk_scale_once_s16((int32_t)acc, multiplier, q->low[c], right);
  } else if (q->rounds_twice) {
    scaled = spk_multiply((int32_t)acc, multiplier, 31 - right);
  } else {
    scaled = (int32_t)((acc * multiplier + ((int64_t)1 << (right - 1))) >> right);
  }
  return (int16_t)spk_clamp(scaled, q->act_min, q->act_max);
}

#endif  // SPK_REQUANTIZE_S16_H_
