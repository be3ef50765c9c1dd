// TFLite's reference requantisation, four sums at a time.
//
// Convolutions round twice (gemmlowp): sqrdmulh is the first rounding, srshl the second once
// negative sums are lowered by one, so that their ties go away from zero.
#ifndef SPK_KERNELS_AARCH64_REQUANTIZE_NEON_H_
#define SPK_KERNELS_AARCH64_REQUANTIZE_NEON_H_

#include <arm_neon.h>

#include "spk/types.h"

// One channel in all lanes, or one channel in each.
typedef struct spk_factors_neon {
  int32x4_t multiplier, left, right;  // right: minus the right shift
} spk_factors_neon;

static inline spk_factors_neon spk_factors_of_neon(int32x4_t multiplier, int32x4_t shift) {
  const int32x4_t zero = vdupq_n_s32(0);
  return (spk_factors_neon){multiplier, vmaxq_s32(shift, zero), vminq_s32(shift, zero)};
}

static inline spk_factors_neon spk_channel_factors_neon(const spk_requant *q, int32_t channel) {
  return spk_factors_of_neon(vdupq_n_s32(q->multiplier[channel]),
                             vdupq_n_s32(q->shift[channel]));
}

static inline int32x4_t spk_round_shift_neon(int32x4_t x, int32x4_t right) {
  // The sign of x & right is that of x where there is a shift; nothing overflows, because x is
  // the upper half of a product with a multiplier below 2^31.
  return vrshlq_s32(vsraq_n_s32(x, vandq_s32(x, right), 31), right);
}

static inline int32x4_t spk_requantize_neon(int32x4_t sum, const spk_factors_neon *f) {
  return spk_round_shift_neon(vqrdmulhq_s32(vshlq_s32(sum, f->left), f->multiplier), f->right);
}

// The same for shifts that none of are to the left.
static inline int32x4_t spk_requantize_right_neon(int32x4_t sum, const spk_factors_neon *f) {
  return spk_round_shift_neon(vqrdmulhq_s32(sum, f->multiplier), f->right);
}

// The same where the activation cuts off all that is below the zero point (RELU): ties of
// negative sums may be rounded either way.
static inline int32x4_t spk_requantize_relu_neon(int32x4_t sum, const spk_factors_neon *f) {
  return vrshlq_s32(vqrdmulhq_s32(sum, f->multiplier), f->right);
}

static inline int spk_is_relu(const spk_requant *q) { return q->act_min >= q->output_offset; }

// Offset and activation of int8 outputs. Sums saturate to int16 first: beyond, the offset
// cannot bring them back.
typedef struct spk_output_neon {
  int16x8_t offset;
  int8x16_t low, high;
  int is_clamped;  // by more than int8 itself
} spk_output_neon;

static inline spk_output_neon spk_output_of_neon(const spk_requant *q) {
  return (spk_output_neon){
      .offset = vdupq_n_s16((int16_t)q->output_offset),
      .low = vdupq_n_s8((int8_t)q->act_min),
      .high = vdupq_n_s8((int8_t)q->act_max),
      .is_clamped = q->act_min > -128 || q->act_max < 127,
  };
}

// Sixteen scaled sums, four to a vector -> outputs.
static inline int8x16_t spk_narrow_neon(const int32x4_t *scaled, const spk_output_neon *o) {
  const int16x8_t a = vqmovn_high_s32(vqmovn_s32(scaled[0]), scaled[1]);
  const int16x8_t b = vqmovn_high_s32(vqmovn_s32(scaled[2]), scaled[3]);
  const int8x16_t all =
      vqmovn_high_s16(vqmovn_s16(vqaddq_s16(a, o->offset)), vqaddq_s16(b, o->offset));
  return o->is_clamped ? vminq_s8(o->high, vmaxq_s8(o->low, all)) : all;
}

// FULLY_CONNECTED rounds once, ties away from zero, with 63 bits of the factor: the product
// size * (multiplier + low / 2^32), size = |sum|, shifted right by 31 - shift.
typedef struct spk_once_neon {
  int32x4_t multiplier, low, right;  // right: shift - 31, which is negative
} spk_once_neon;

static inline uint32x4_t spk_scale_once_neon(uint32x4_t size, const spk_once_neon *f) {
  const uint32x4_t multiplier = vreinterpretq_u32_s32(f->multiplier);
  const uint32x4_t low = vreinterpretq_u32_s32(f->low);
  uint64x2_t even = vmull_u32(vget_low_u32(size), vget_low_u32(multiplier));
  uint64x2_t odd = vmull_high_u32(size, multiplier);
  even = vsraq_n_u64(even, vmull_u32(vget_low_u32(size), vget_low_u32(low)), 32);
  odd = vsraq_n_u64(odd, vmull_high_u32(size, low), 32);
  even = vrshlq_u64(even, vmovl_s32(vget_low_s32(f->right)));
  odd = vrshlq_u64(odd, vmovl_high_s32(f->right));
  const uint64x2_t limit = vdupq_n_u64(1024);  // clamped anyway
  even = vbslq_u64(vcgtq_u64(even, limit), limit, even);
  odd = vbslq_u64(vcgtq_u64(odd, limit), limit, odd);
  return vmovn_high_u64(vmovn_u64(even), odd);
}

// The same where every shift is below -1: the upper half of the product then is enough.
static inline uint32x4_t spk_scale_once_short_neon(uint32x4_t size, const spk_once_neon *f) {
  const uint32x4_t multiplier = vreinterpretq_u32_s32(f->multiplier);
  const uint32x4_t low = vreinterpretq_u32_s32(f->low);
  uint64x2_t even = vmull_u32(vget_low_u32(size), vget_low_u32(multiplier));
  uint64x2_t odd = vmull_high_u32(size, multiplier);
  even = vsraq_n_u64(even, vmull_u32(vget_low_u32(size), vget_low_u32(low)), 32);
  odd = vsraq_n_u64(odd, vmull_high_u32(size, low), 32);
  const uint32x4_t upper = vshrn_high_n_u64(vshrn_n_u64(even, 32), odd, 32);
  return vrshlq_u32(upper, vaddq_s32(f->right, vdupq_n_s32(32)));
}

static inline int32x4_t spk_with_sign_neon(uint32x4_t size, int32x4_t sum) {
  const int32x4_t sign = vshrq_n_s32(sum, 31);
  return vsubq_s32(veorq_s32(vreinterpretq_s32_u32(size), sign), sign);
}

#endif  // SPK_KERNELS_AARCH64_REQUANTIZE_NEON_H_
