// TFLite's reference requantisation, eight or sixteen sums at a time.
//
// Convolutions round twice (gemmlowp).
// SaturatingRoundingDoublingHighMul(a, m) = floor((a * m + 2^30) / 2^31): the nudge of the
// reference depends on the sign only because its division truncates. With m >= 0 nothing can
// saturate. The low 32 bits of the shifted product are the result, so a logical shift does.
#ifndef SPK_KERNELS_X86_REQUANTIZE_H_
#define SPK_KERNELS_X86_REQUANTIZE_H_

#include <immintrin.h>

#include "spk/types.h"

// One channel, or one in each lane.
//
// The short way: where the activation cuts off all that is below the zero point (RELU), ties of
// negative sums may be rounded either way. Then both roundings and the offset are one constant,
// floor((a * m + 2^30 + 2^(30 + s) + offset * 2^(31 + s)) / 2^(31 + s)), because nested floors
// collapse; the upper half of each 64-bit lane, shifted right by s - 1, is the result.
typedef struct spk_factors_avx2 {
  __m256i multiplier, left, right, offset;
  __m256i constant;  // of the short way below
  __m128i count;
  int is_short;
} spk_factors_avx2;

typedef struct spk_factors_avx512 {
  __m512i multiplier, left, right, offset;
  __m512i constant;  // of the short way below
  __m128i count;
  int is_short;
} spk_factors_avx512;

// (x + 2^(s - 1) - (x < 0)) >> s without overflow: RoundingDivideByPOT.
__attribute__((target("avx2"))) static inline __m256i spk_divide_by_pot_avx2(__m256i x,
                                                                             __m256i shift) {
  const __m256i one = _mm256_set1_epi32(1);
  const __m256i mask = _mm256_sub_epi32(_mm256_sllv_epi32(one, shift), one);
  const __m256i threshold =
      _mm256_sub_epi32(_mm256_srli_epi32(mask, 1), _mm256_srai_epi32(x, 31));
  const __m256i up = _mm256_cmpgt_epi32(_mm256_and_si256(x, mask), threshold);
  return _mm256_sub_epi32(_mm256_srav_epi32(x, shift), up);
}

__attribute__((target("avx2"))) static inline __m256i spk_requantize_short_avx2(
    __m256i sum, const spk_factors_avx2 *f) {
  const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(sum, f->multiplier), f->constant);
  const __m256i odd = _mm256_add_epi64(
      _mm256_mul_epi32(_mm256_srli_epi64(sum, 32), f->multiplier), f->constant);
  return _mm256_sra_epi32(_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa), f->count);
}

__attribute__((target("avx2"))) static inline __m256i spk_requantize_avx2(
    __m256i sum, const spk_factors_avx2 *f) {
  if (f->is_short) return spk_requantize_short_avx2(sum, f);
  const __m256i nudge = _mm256_set1_epi64x(1 << 30);
  const __m256i a = _mm256_sllv_epi32(sum, f->left), m = f->multiplier;
  const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(a, m), nudge);
  const __m256i odd = _mm256_add_epi64(
      _mm256_mul_epi32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(m, 32)), nudge);
  const __m256i high =
      _mm256_blend_epi32(_mm256_srli_epi64(even, 31), _mm256_slli_epi64(odd, 1), 0xaa);
  return _mm256_add_epi32(spk_divide_by_pot_avx2(high, f->right), f->offset);
}

__attribute__((target("avx512f"))) static inline __m512i spk_divide_by_pot_avx512(
    __m512i x, __m512i shift) {
  const __m512i one = _mm512_set1_epi32(1);
  const __m512i mask = _mm512_sub_epi32(_mm512_sllv_epi32(one, shift), one);
  const __m512i threshold =
      _mm512_sub_epi32(_mm512_srli_epi32(mask, 1), _mm512_srai_epi32(x, 31));
  const __mmask16 up = _mm512_cmpgt_epi32_mask(_mm512_and_si512(x, mask), threshold);
  const __m512i down = _mm512_srav_epi32(x, shift);
  return _mm512_mask_add_epi32(down, up, down, one);
}

__attribute__((target("avx512f"))) static inline __m512i spk_requantize_short_avx512(
    __m512i sum, const spk_factors_avx512 *f) {
  const __m512i even = _mm512_add_epi64(_mm512_mul_epi32(sum, f->multiplier), f->constant);
  const __m512i odd = _mm512_add_epi64(
      _mm512_mul_epi32(_mm512_srli_epi64(sum, 32), f->multiplier), f->constant);
  return _mm512_sra_epi32(_mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 32), odd),
                          f->count);
}

__attribute__((target("avx512f"))) static inline __m512i spk_requantize_avx512(
    __m512i sum, const spk_factors_avx512 *f) {
  if (f->is_short) return spk_requantize_short_avx512(sum, f);
  const __m512i nudge = _mm512_set1_epi64(1 << 30);
  const __m512i a = _mm512_sllv_epi32(sum, f->left), m = f->multiplier;
  const __m512i even = _mm512_add_epi64(_mm512_mul_epi32(a, m), nudge);
  const __m512i odd = _mm512_add_epi64(
      _mm512_mul_epi32(_mm512_srli_epi64(a, 32), _mm512_srli_epi64(m, 32)), nudge);
  const __m512i high =
      _mm512_mask_blend_epi32(0xaaaa, _mm512_srli_epi64(even, 31), _mm512_slli_epi64(odd, 1));
  return _mm512_add_epi32(spk_divide_by_pot_avx512(high, f->right), f->offset);
}

static inline int spk_is_short(const spk_requant *q, int32_t channel) {
  return q->act_min >= q->output_offset && q->shift[channel] <= -1 && q->shift[channel] >= -22;
}

// Without a sign: where shifts are too large for the short way, it may wrap around.
static inline int64_t spk_short_constant(int32_t shift, int32_t output_offset) {
  const int s = -shift & 31;
  return (int64_t)((UINT64_C(1) << 30) + (UINT64_C(1) << (30 + s)) +
                   (uint64_t)output_offset * (UINT64_C(1) << (31 + s)));
}

// One channel in all lanes.
__attribute__((target("avx2"))) static inline spk_factors_avx2 spk_channel_factors_avx2(
    const spk_requant *q, int32_t channel) {
  const int32_t shift = q->shift[channel];
  return (spk_factors_avx2){
      .multiplier = _mm256_set1_epi32(q->multiplier[channel]),
      .left = _mm256_set1_epi32(shift > 0 ? shift : 0),
      .right = _mm256_set1_epi32(shift > 0 ? 0 : -shift),
      .offset = _mm256_set1_epi32(q->output_offset),
      .constant = _mm256_set1_epi64x(spk_short_constant(shift, q->output_offset)),
      .count = _mm_cvtsi32_si128(-shift - 1),
      .is_short = spk_is_short(q, channel),
  };
}

__attribute__((target("avx512f"))) static inline spk_factors_avx512 spk_channel_factors_avx512(
    const spk_requant *q, int32_t channel) {
  const int32_t shift = q->shift[channel];
  return (spk_factors_avx512){
      .multiplier = _mm512_set1_epi32(q->multiplier[channel]),
      .left = _mm512_set1_epi32(shift > 0 ? shift : 0),
      .right = _mm512_set1_epi32(shift > 0 ? 0 : -shift),
      .offset = _mm512_set1_epi32(q->output_offset),
      .constant = _mm512_set1_epi64(spk_short_constant(shift, q->output_offset)),
      .count = _mm_cvtsi32_si128(-shift - 1),
      .is_short = spk_is_short(q, channel),
  };
}

// The short way with factors in registers, for one multiplier in all lanes: `shift` is s - 1.
__attribute__((target("avx512f"))) static inline __m512i spk_upper_halves_avx512(
    __m512i even, __m512i odd, __m128i shift) {
  return _mm512_sra_epi32(_mm512_mask_shuffle_epi32(odd, 0x5555, even, (_MM_PERM_ENUM)0xf5),
                          shift);
}

__attribute__((target("avx512f"))) static inline __m512i spk_requantize_up_avx512(
    __m512i sum, __m512i multiplier, __m512i constant, __m128i shift) {
  const __m512i even = _mm512_add_epi64(_mm512_mul_epi32(sum, multiplier), constant);
  const __m512i odd =
      _mm512_add_epi64(_mm512_mul_epi32(_mm512_srli_epi64(sum, 32), multiplier), constant);
  return spk_upper_halves_avx512(even, odd, shift);
}

// With ties of negative sums rounded down: such a sum has bit 31 of its lane set, which is just
// what is to be taken off.
__attribute__((target("avx512f"))) static inline __m512i spk_requantize_away_avx512(
    __m512i sum, __m512i multiplier, __m512i constant, __m128i shift) {
  const __m512i sign = _mm512_set1_epi64(INT64_C(1) << 31), upper = _mm512_srli_epi64(sum, 32);
  const __m512i even =
      _mm512_add_epi64(_mm512_mul_epi32(sum, multiplier),
                       _mm512_sub_epi64(constant, _mm512_and_si512(sum, sign)));
  const __m512i odd =
      _mm512_add_epi64(_mm512_mul_epi32(upper, multiplier),
                       _mm512_sub_epi64(constant, _mm512_and_si512(upper, sign)));
  return spk_upper_halves_avx512(even, odd, shift);
}

__attribute__((target("avx2"))) static inline __m256i spk_upper_halves_avx2(__m256i even,
                                                                            __m256i odd,
                                                                            __m128i shift) {
  return _mm256_sra_epi32(_mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa), shift);
}

__attribute__((target("avx2"))) static inline __m256i spk_requantize_up_avx2(__m256i sum,
                                                                             __m256i multiplier,
                                                                             __m256i constant,
                                                                             __m128i shift) {
  const __m256i even = _mm256_add_epi64(_mm256_mul_epi32(sum, multiplier), constant);
  const __m256i odd =
      _mm256_add_epi64(_mm256_mul_epi32(_mm256_srli_epi64(sum, 32), multiplier), constant);
  return spk_upper_halves_avx2(even, odd, shift);
}

__attribute__((target("avx2"))) static inline __m256i spk_requantize_away_avx2(
    __m256i sum, __m256i multiplier, __m256i constant, __m128i shift) {
  const __m256i sign = _mm256_set1_epi64x(INT64_C(1) << 31), upper = _mm256_srli_epi64(sum, 32);
  const __m256i even =
      _mm256_add_epi64(_mm256_mul_epi32(sum, multiplier),
                       _mm256_sub_epi64(constant, _mm256_and_si256(sum, sign)));
  const __m256i odd =
      _mm256_add_epi64(_mm256_mul_epi32(upper, multiplier),
                       _mm256_sub_epi64(constant, _mm256_and_si256(upper, sign)));
  return spk_upper_halves_avx2(even, odd, shift);
}

// In float32, see requantize_f32.h; `below` is the offset of negative sums.
__attribute__((target("avx512f"))) static inline __m512i spk_scale_avx512(__m512i sum,
                                                                          float scale,
                                                                          float offset) {
  return _mm512_cvtps_epi32(
      _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), _mm512_set1_ps(scale), _mm512_set1_ps(offset)));
}

__attribute__((target("avx512f"))) static inline __m512i spk_scale_away_avx512(__m512i sum,
                                                                               float scale,
                                                                               float offset,
                                                                               float below) {
  const __mmask16 is_negative = _mm512_cmplt_epi32_mask(sum, _mm512_setzero_si512());
  const __m512 addend =
      _mm512_mask_blend_ps(is_negative, _mm512_set1_ps(offset), _mm512_set1_ps(below));
  return _mm512_cvtps_epi32(
      _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), _mm512_set1_ps(scale), addend));
}

__attribute__((target("avx2,fma"))) static inline __m256i spk_scale_avx2(__m256i sum,
                                                                         float scale,
                                                                         float offset) {
  return _mm256_cvtps_epi32(
      _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum), _mm256_set1_ps(scale), _mm256_set1_ps(offset)));
}

__attribute__((target("avx2,fma"))) static inline __m256i spk_scale_away_avx2(__m256i sum,
                                                                              float scale,
                                                                              float offset,
                                                                              float below) {
  const __m256 addend = _mm256_blendv_ps(_mm256_set1_ps(offset), _mm256_set1_ps(below),
                                         _mm256_castsi256_ps(sum));  // by the sign
  return _mm256_cvtps_epi32(
      _mm256_fmadd_ps(_mm256_cvtepi32_ps(sum), _mm256_set1_ps(scale), addend));
}

// FULLY_CONNECTED rounds once, ties away from zero, with 63 bits of the factor. Magnitudes are
// scaled as 64-bit numbers, even and odd lanes apart; above 1024 they are clamped anyway.
typedef struct spk_once_avx2 {
  __m256i multiplier, low, right, offset;  // right: 31 - shift
} spk_once_avx2;

typedef struct spk_once_avx512 {
  __m512i multiplier, low, right, offset;
} spk_once_avx512;

// The low 32 bits of each 64-bit lane take part.
__attribute__((target("avx2"))) static inline __m256i spk_scale_once_avx2(__m256i size,
                                                                          __m256i multiplier,
                                                                          __m256i low,
                                                                          __m256i right) {
  const __m256i one = _mm256_set1_epi64x(1), limit = _mm256_set1_epi64x(1024);
  const __m256i shift = _mm256_and_si256(right, _mm256_set1_epi64x(63));
  const __m256i product = _mm256_add_epi64(_mm256_mul_epu32(size, multiplier),
                                           _mm256_srli_epi64(_mm256_mul_epu32(size, low), 32));
  const __m256i half = _mm256_sllv_epi64(one, _mm256_sub_epi64(shift, one));
  const __m256i rounded = _mm256_srlv_epi64(_mm256_add_epi64(product, half), shift);
  return _mm256_blendv_epi8(rounded, limit, _mm256_cmpgt_epi64(rounded, limit));
}

__attribute__((target("avx2"))) static inline __m256i spk_requantize_once_avx2(
    __m256i sum, const spk_once_avx2 *f) {
  const __m256i size = _mm256_abs_epi32(sum);
  const __m256i even = spk_scale_once_avx2(size, f->multiplier, f->low, f->right);
  const __m256i odd =
      spk_scale_once_avx2(_mm256_srli_epi64(size, 32), _mm256_srli_epi64(f->multiplier, 32),
                          _mm256_srli_epi64(f->low, 32), _mm256_srli_epi64(f->right, 32));
  const __m256i both = _mm256_or_si256(even, _mm256_slli_epi64(odd, 32));
  return _mm256_add_epi32(_mm256_sign_epi32(both, sum), f->offset);
}

__attribute__((target("avx512f"))) static inline __m512i spk_scale_once_avx512(
    __m512i size, __m512i multiplier, __m512i low, __m512i right) {
  const __m512i one = _mm512_set1_epi64(1);
  const __m512i shift = _mm512_and_si512(right, _mm512_set1_epi64(63));
  const __m512i product = _mm512_add_epi64(_mm512_mul_epu32(size, multiplier),
                                           _mm512_srli_epi64(_mm512_mul_epu32(size, low), 32));
  const __m512i half = _mm512_sllv_epi64(one, _mm512_sub_epi64(shift, one));
  const __m512i rounded = _mm512_srlv_epi64(_mm512_add_epi64(product, half), shift);
  return _mm512_min_epu64(rounded, _mm512_set1_epi64(1024));
}

__attribute__((target("avx512f"))) static inline __m512i spk_requantize_once_avx512(
    __m512i sum, const spk_once_avx512 *f) {
  const __m512i size = _mm512_abs_epi32(sum), zero = _mm512_setzero_si512();
  const __m512i even = spk_scale_once_avx512(size, f->multiplier, f->low, f->right);
  const __m512i odd =
      spk_scale_once_avx512(_mm512_srli_epi64(size, 32), _mm512_srli_epi64(f->multiplier, 32),
                            _mm512_srli_epi64(f->low, 32), _mm512_srli_epi64(f->right, 32));
  const __m512i both = _mm512_or_si512(even, _mm512_slli_epi64(odd, 32));
  const __mmask16 negative = _mm512_cmplt_epi32_mask(sum, zero);
  return _mm512_add_epi32(_mm512_mask_sub_epi32(both, negative, zero, both), f->offset);
}

#endif  // SPK_KERNELS_X86_REQUANTIZE_H_
