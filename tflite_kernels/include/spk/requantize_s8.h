// Fixed-point arithmetic of TFLite's int8 kernels (gemmlowp's double rounding).
#ifndef SPK_REQUANTIZE_S8_H_
#define SPK_REQUANTIZE_S8_H_

#include "spk/types.h"

#if defined(__GNUC__)
#define SPK_INLINE   static inline __attribute__((always_inline))
#define SPK_NOINLINE static __attribute__((noinline))
#define SPK_COLD     static __attribute__((noinline, cold, unused))
#else
#define SPK_INLINE   static inline
#define SPK_NOINLINE static
#define SPK_COLD     static inline
#endif

// round(a * b / 2^31), ties upwards; not both may be INT32_MIN.
// gemmlowp nudges by the sign and then truncates, which is the same number.
static inline int32_t spk_doubling_high_mul(int32_t a, int32_t b) {
  return (int32_t)(((int64_t)a * b + ((int64_t)1 << 30)) >> 31);
}

// round(a * b / 2^32), ties upwards; b is not negative.
SPK_INLINE int32_t spk_high_mul(int32_t a, int32_t b) {
#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
  int32_t high;  // GCC does not find this instruction by itself
  __asm__("smmulr %0, %1, %2" : "=r"(high) : "r"(a), "r"(b));
  return high;
#elif defined(__ARM_ARCH_6M__)
  // By halves of 16 bits: there is no long multiplication, and the library's is slow. No sum
  // overflows: a1 * b0 and a0 * b1 have 31 bits beside the sign.
  const int32_t a1 = a >> 16, b1 = b >> 16;
  const uint32_t a0 = (uint32_t)a & 0xffff, b0 = (uint32_t)b & 0xffff;
  const int32_t crossed = a1 * (int32_t)b0 + (int32_t)(a0 * b0 >> 16);
  const uint32_t middle = a0 * (uint32_t)b1 + ((uint32_t)crossed & 0xffff);
  return a1 * b1 + (crossed >> 16) + (int32_t)((middle + 0x8000) >> 16);
#else
  return (int32_t)(((int64_t)a * b + 0x80000000) >> 32);
#endif
}

// round(x / 2^exponent), ties away from zero, 1 <= exponent <= 31.
static inline int32_t spk_rounding_shift_right(int32_t x, int32_t exponent) {
  const int32_t y = x + (x >> 31);  // never overflows: |x| < 2^31 after a high mul
  return (y >> exponent) + ((y >> (exponent - 1)) & 1);
}

// x * multiplier * 2^(shift - 31), rounded twice.
static inline int32_t spk_multiply(int32_t x, int32_t multiplier, int32_t shift) {
  if (shift >= 0) {
    return spk_doubling_high_mul((int32_t)((uint32_t)x << shift), multiplier);
  }
  return spk_rounding_shift_right(spk_doubling_high_mul(x, multiplier), -shift);
}

static inline int32_t spk_clamp(int32_t x, int32_t low, int32_t high) {
  return x < low ? low : x > high ? high : x;
}

// The int8 nearest to x.
SPK_INLINE int32_t spk_saturate_s8(int32_t x) {
#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
  int32_t nearest;
  __asm__("ssat %0, #8, %1" : "=r"(nearest) : "r"(x));
  return nearest;
#else
  return x < -128 ? -128 : x > 127 ? 127 : x;
#endif
}

// What is left of spk_requant for one channel with a right shift, made for loops.
typedef struct spk_channel_scale {
  int32_t multiplier;
  int32_t right;   // the right shift, at least 1, minus 1
  int32_t offset;  // twice the output offset, plus 1 for rounding
} spk_channel_scale;

// Is a sum of `terms` products and this bias below 2^30? (255 * 128 * 16384 < 2^29.)
SPK_INLINE int spk_sum_is_small(int32_t bias, int32_t terms) {
  return (uint32_t)bias + (1u << 29) < 1u << 30 && terms <= 16384;
}

// The caller has seen that shift[c] < 0.
SPK_INLINE spk_channel_scale spk_scale_of(const spk_requant *q, int32_t c) {
  const spk_channel_scale s = {q->multiplier[c], -q->shift[c] - 1, 2 * q->output_offset + 1};
  return s;
}

// One finished accumulator, |sum| < 2^30, not yet clamped.
SPK_INLINE int32_t spk_scale_s8(int32_t sum, spk_channel_scale s) {
  const int32_t x = spk_high_mul((int32_t)(2u * (uint32_t)sum), s.multiplier);
  return (((x + (x >> 31)) >> s.right) + s.offset) >> 1;
}

// One finished accumulator of channel c, rounded twice.
static inline int8_t spk_requantize_s8(int32_t acc, const spk_requant *q, int32_t c) {
  const int32_t scaled = spk_multiply(acc, q->multiplier[c], q->shift[c]);
  return (int8_t)spk_clamp(scaled + q->output_offset, q->act_min, q->act_max);
}

#if defined(__ARM_ARCH_6M__)
// a * b by halves of 16 bits: returns the upper 32 bits and stores the lower ones.
SPK_INLINE uint32_t spk_multiply_halves(uint32_t a, uint32_t b, uint32_t *lower) {
  const uint32_t a0 = a & 0xffff, a1 = a >> 16, b0 = b & 0xffff, b1 = b >> 16;
  const uint32_t first = a0 * b0, crossed = a1 * b0 + (first >> 16);
  const uint32_t middle = a0 * b1 + (crossed & 0xffff);
  *lower = (middle << 16) | (first & 0xffff);
  return a1 * b1 + (crossed >> 16) + (middle >> 16);
}
#endif

// The upper half of size * multiplier + (size * low >> 32); size and multiplier < 2^31.
SPK_INLINE uint32_t spk_upper_half(uint32_t size, int32_t multiplier, uint32_t low) {
#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
  uint32_t carried, upper = 0;  // GCC needs one move more
  __asm__(
      "umull %[upper], %[carried], %[size], %[low]\n\t"
      "mov %[upper], #0\n\t"
      "umaal %[carried], %[upper], %[size], %[multiplier]"
      : [carried] "=&r"(carried), [upper] "=&r"(upper)
      : [size] "r"(size), [multiplier] "r"(multiplier), [low] "r"(low));
  return upper;
#elif defined(__ARM_ARCH_6M__)
  // No long multiplication: four short ones, and four more where `low` could still matter.
  uint32_t lower;
  const uint32_t upper = spk_multiply_halves(size, (uint32_t)multiplier, &lower);
  if (lower + size >= lower) return upper;
  uint32_t unused;
  return upper + (lower + spk_multiply_halves(size, low, &unused) < lower);
#else
  return (uint32_t)(((uint64_t)size * (uint32_t)multiplier + ((uint64_t)size * low >> 32)) >>
                    32);
#endif
}

// round(x / 2^exponent), ties upwards, 1 <= exponent <= 32.
SPK_INLINE uint32_t spk_round_unsigned(uint32_t x, int32_t exponent) {
#if defined(__thumb2__) && defined(__GNUC__)
  __asm__("lsrs %0, %0, %1\n\tadc %0, %0, #0" : "+r"(x) : "r"(exponent) : "cc");
  return x;
#else
  return ((x >> (exponent - 1)) + 1) >> 1;
#endif
}

// The rare case of spk_scale_once_s8: a scale factor of a quarter or more.
SPK_COLD int32_t spk_round_large_s8(uint32_t size, int32_t multiplier, uint32_t low,
                                    int32_t right) {
  const uint64_t product =
      (uint64_t)size * (uint32_t)multiplier + ((uint64_t)size * low >> 32);  // below 2^62
  const uint64_t rounded = (product + ((uint64_t)1 << (right - 1))) >> right;
  return rounded > 1024 ? 1024 : (int32_t)rounded;  // clamped anyway
}

// round(acc * (multiplier + low / 2^32) * 2^(shift - 31)), ties away from zero.
SPK_INLINE int32_t spk_scale_once_s8(int32_t acc, int32_t multiplier, uint32_t low,
                                     int32_t shift) {
  const int32_t sign = acc >> 31;  // 0 or -1
  const uint32_t size = (uint32_t)(acc ^ sign) - (uint32_t)sign;
  const int32_t right = ~shift;  // beyond 32 bits
  int32_t scaled;
  if (right > 0) {
    scaled = (int32_t)spk_round_unsigned(spk_upper_half(size, multiplier, low), right);
  } else {
    scaled = spk_round_large_s8(size, multiplier, low, 32 + right);
  }
  return (scaled ^ sign) - sign;
}

// floor(acc * multiplier * 2^(shift - 31) + 1/2), for kernels that are told to round_up.
SPK_INLINE int32_t spk_scale_up_s8(int32_t acc, int32_t multiplier, int32_t shift) {
  const int32_t high = (int32_t)((int64_t)acc * multiplier >> 31);
  return (int32_t)(((int64_t)high + ((int64_t)1 << (-shift - 1))) >> -shift);
}

// One finished accumulator of channel c, rounded once.
SPK_INLINE int8_t spk_requantize_once_s8(int32_t acc, const spk_requant *q, int32_t c) {
  if (q->per_tensor) c = 0;
  const uint32_t low = q->multiplier_low != NULL ? q->multiplier_low[c] : 0;
  const int32_t scaled = spk_scale_once_s8(acc, q->multiplier[c], low, q->shift[c]);
  return (int8_t)spk_clamp(scaled + q->output_offset, q->act_min, q->act_max);
}

#endif  // SPK_REQUANTIZE_S8_H_
