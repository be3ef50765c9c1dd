// The ends of int8 depthwise kernels: a vector holds the sums of eight or sixteen neighbouring
// channels of one pixel, and is rounded twice (see requantize.h).
//
// Channels for which that is exact are scaled in float32 (requantize_f32.h). Else right shifts
// s of 1 to 22 take the short way: both roundings and the offset are one constant,
//   floor((a * m + 2^30 + 2^(30 + s) + offset * 2^(31 + s)) / 2^(31 + s)),
// where for negative sums 2^31 less is added, because their ties round away from zero; when the
// activation cuts off all that is below the zero point (RELU) that makes no difference.
#ifndef SPK_KERNELS_X86_DEPTHWISE_ENDS_S8_H_
#define SPK_KERNELS_X86_DEPTHWISE_ENDS_S8_H_

#include <immintrin.h>
#include <string.h>

#include "kernels/x86/depthwise_s8.h"
#include "kernels/x86/requantize.h"
#include "spk/layer.h"

#define SPK_TARGET_CHANNELS_AVX512 \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2")))
#define SPK_ALWAYS_INLINE        static inline __attribute__((always_inline))
#define SPK_TARGET_CHANNELS_AVX2 __attribute__((target("avx2,fma")))

typedef enum spk_rounding {
  SPK_ROUND_TWICE,       // step by step
  SPK_ROUND_SHORT,       // the short way
  SPK_ROUND_SHORT_RELU,  // without the correction for negative sums
  SPK_ROUND_F32,         // in float32
  SPK_ROUND_F32_RELU,    // without the offset of its own for negative sums
} spk_rounding;

typedef struct spk_channels_avx512 {
  __m512i first;  // where the sums start
  __m512i multiplier, multiplier_odd, even, odd, count;
  spk_factors_avx512 factors;  // of the long way
  __m512 scale, offset, below;
  __m512i low, high;  // of the activation, in bytes
  spk_rounding rounding;
} spk_channels_avx512;

typedef struct spk_channels_avx2 {
  __m256i first, multiplier, multiplier_odd, even, odd, count;
  spk_factors_avx2 factors;
  __m256 scale, offset, below;
  __m256i low, high;
  spk_rounding rounding;
} spk_channels_avx2;

static inline spk_rounding spk_rounding_of(const spk_requant *q, int is_f32, int is_short) {
  const int is_relu = q->act_min >= q->output_offset;
  if (is_f32) return is_relu ? SPK_ROUND_F32_RELU : SPK_ROUND_F32;
  if (is_short) return is_relu ? SPK_ROUND_SHORT_RELU : SPK_ROUND_SHORT;
  return SPK_ROUND_TWICE;
}

// The lanes of a vector from `at` on. `input_bias` is what the kernel has added to each input.
SPK_TARGET_CHANNELS_AVX512 static inline spk_channels_avx512 spk_channels_of_avx512(
    const spk_requant *q, const spk_depthwise_ends *ends, size_t at, int32_t input_bias) {
  const __m512i zero = _mm512_setzero_si512(), one = _mm512_set1_epi32(1);
  const __m512i multiplier = _mm512_loadu_si512(ends->multiplier + at);
  const __m512i shift = _mm512_loadu_si512(ends->shift + at);
  const __m512i right = _mm512_max_epi32(zero, _mm512_sub_epi32(zero, shift));
  const __m512i ties = _mm512_set1_epi64(1 + 2 * (int64_t)q->output_offset);
  const __m512i half = _mm512_set1_epi64(1 << 30), base = _mm512_set1_epi64(30);
  const __m512i right_even = _mm512_srli_epi64(_mm512_slli_epi64(right, 32), 32);
  const __m512i right_odd = _mm512_srli_epi64(right, 32);
  const int is_short = !_mm512_cmpgt_epi32_mask(shift, _mm512_set1_epi32(-1)) &&
                       !_mm512_cmplt_epi32_mask(shift, _mm512_set1_epi32(-22));
  const __m512 scale = _mm512_loadu_ps(ends->scale + at);
  const int is_f32 = !_mm512_cmp_ps_mask(scale, _mm512_setzero_ps(), _CMP_EQ_OQ);
  const __m512i from_sum = _mm512_mullo_epi32(_mm512_loadu_si512(ends->sum + at),
                                              _mm512_set1_epi32(q->input_offset - input_bias));
  return (spk_channels_avx512){
      .first = _mm512_add_epi32(from_sum, _mm512_loadu_si512(ends->bias + at)),
      .multiplier = multiplier,
      .multiplier_odd = _mm512_srli_epi64(multiplier, 32),
      .even =
          _mm512_add_epi64(half, _mm512_sllv_epi64(ties, _mm512_add_epi64(base, right_even))),
      .odd = _mm512_add_epi64(half, _mm512_sllv_epi64(ties, _mm512_add_epi64(base, right_odd))),
      .count = _mm512_sub_epi32(right, one),
      .factors = {.multiplier = multiplier,
                  .left = _mm512_max_epi32(zero, shift),
                  .right = right,
                  .offset = _mm512_set1_epi32(q->output_offset)},
      .scale = scale,
      .offset = _mm512_loadu_ps(ends->offset + at),
      .below = _mm512_loadu_ps(ends->below + at),
      .low = _mm512_set1_epi8((char)q->act_min),
      .high = _mm512_set1_epi8((char)q->act_max),
      .rounding = spk_rounding_of(q, is_f32, is_short),
  };
}

SPK_TARGET_CHANNELS_AVX512 SPK_ALWAYS_INLINE __m512i
spk_channels_once_avx512(__m512i product, __m512i constant, const spk_rounding rounding) {
  const __m512i sum = _mm512_add_epi64(product, constant);
  if (rounding == SPK_ROUND_SHORT_RELU) return sum;
  return _mm512_mask_sub_epi64(sum, _mm512_movepi64_mask(product), sum,
                               _mm512_set1_epi64(INT64_C(1) << 31));
}

SPK_TARGET_CHANNELS_AVX512 SPK_ALWAYS_INLINE __m512i
spk_scale_lanes_avx512(__m512i sum, const spk_channels_avx512 *c) {
  const __m512 offset = _mm512_mask_blend_ps(_mm512_movepi32_mask(sum), c->offset, c->below);
  return _mm512_cvtps_epi32(_mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), c->scale, offset));
}

SPK_TARGET_CHANNELS_AVX512 SPK_ALWAYS_INLINE __m512i spk_requantize_channels_avx512(
    __m512i sum, const spk_channels_avx512 *c, const spk_rounding rounding) {
  if (rounding == SPK_ROUND_TWICE) return spk_requantize_avx512(sum, &c->factors);
  if (rounding == SPK_ROUND_F32) return spk_scale_lanes_avx512(sum, c);
  if (rounding == SPK_ROUND_F32_RELU)
    return _mm512_cvtps_epi32(_mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), c->scale, c->offset));
  const __m512i even =
      spk_channels_once_avx512(_mm512_mul_epi32(sum, c->multiplier), c->even, rounding);
  const __m512i odd = spk_channels_once_avx512(
      _mm512_mul_epi32(_mm512_srli_epi64(sum, 32), c->multiplier_odd), c->odd, rounding);
  const __m512i high = _mm512_mask_shuffle_epi32(odd, 0x5555, even, (_MM_PERM_ENUM)0xf5);
  return _mm512_srav_epi32(high, c->count);
}

// Rounds `count` sums of one vector of channels in place.
SPK_TARGET_CHANNELS_AVX512 SPK_ALWAYS_INLINE void spk_round_channels_avx512(
    __m512i *sum, const int count, const spk_channels_avx512 *c) {
#define SPK_ROUND_ALL(rounding)                                    \
  _Pragma("GCC unroll 4") for (int i = 0; i < count; ++i) sum[i] = \
      spk_requantize_channels_avx512(sum[i], c, rounding)
  if (c->rounding == SPK_ROUND_F32_RELU)
    SPK_ROUND_ALL(SPK_ROUND_F32_RELU);
  else if (c->rounding == SPK_ROUND_F32)
    SPK_ROUND_ALL(SPK_ROUND_F32);
  else if (c->rounding == SPK_ROUND_SHORT_RELU)
    SPK_ROUND_ALL(SPK_ROUND_SHORT_RELU);
  else if (c->rounding == SPK_ROUND_SHORT)
    SPK_ROUND_ALL(SPK_ROUND_SHORT);
  else
    SPK_ROUND_ALL(SPK_ROUND_TWICE);
#undef SPK_ROUND_ALL
}

// The sums of four pixels -> four times sixteen outputs.
SPK_TARGET_CHANNELS_AVX512 SPK_ALWAYS_INLINE __m512i
spk_finish_channels_avx512(const __m512i *sum, const spk_channels_avx512 *c) {
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  __m512i r[4] = {sum[0], sum[1], sum[2], sum[3]};
  spk_round_channels_avx512(r, 4, c);
  const __m512i words =
      _mm512_packs_epi16(_mm512_packs_epi32(r[0], r[1]), _mm512_packs_epi32(r[2], r[3]));
  const __m512i bytes = _mm512_permutexvar_epi32(order, words);
  return _mm512_min_epi8(c->high, _mm512_max_epi8(c->low, bytes));
}

SPK_TARGET_CHANNELS_AVX2 static inline __m256i spk_load_lanes_avx2(const int32_t *from) {
  return _mm256_loadu_si256((const __m256i *)(const void *)from);
}

SPK_TARGET_CHANNELS_AVX2 static inline spk_channels_avx2 spk_channels_of_avx2(
    const spk_requant *q, const spk_depthwise_ends *ends, size_t at, int32_t input_bias) {
  const __m256i zero = _mm256_setzero_si256(), one = _mm256_set1_epi32(1);
  const __m256i multiplier = spk_load_lanes_avx2(ends->multiplier + at);
  const __m256i shift = spk_load_lanes_avx2(ends->shift + at);
  const __m256i right = _mm256_max_epi32(zero, _mm256_sub_epi32(zero, shift));
  const __m256i ties = _mm256_set1_epi64x(1 + 2 * (int64_t)q->output_offset);
  const __m256i half = _mm256_set1_epi64x(1 << 30), base = _mm256_set1_epi64x(30);
  const __m256i right_even = _mm256_srli_epi64(_mm256_slli_epi64(right, 32), 32);
  const __m256i right_odd = _mm256_srli_epi64(right, 32);
  const __m256i outside = _mm256_or_si256(_mm256_cmpgt_epi32(shift, _mm256_set1_epi32(-1)),
                                          _mm256_cmpgt_epi32(_mm256_set1_epi32(-22), shift));
  const __m256 scale = _mm256_loadu_ps(ends->scale + at);
  const __m256 is_zero = _mm256_cmp_ps(scale, _mm256_setzero_ps(), _CMP_EQ_OQ);
  const __m256i from_sum = _mm256_mullo_epi32(spk_load_lanes_avx2(ends->sum + at),
                                              _mm256_set1_epi32(q->input_offset - input_bias));
  return (spk_channels_avx2){
      .first = _mm256_add_epi32(from_sum, spk_load_lanes_avx2(ends->bias + at)),
      .multiplier = multiplier,
      .multiplier_odd = _mm256_srli_epi64(multiplier, 32),
      .even =
          _mm256_add_epi64(half, _mm256_sllv_epi64(ties, _mm256_add_epi64(base, right_even))),
      .odd = _mm256_add_epi64(half, _mm256_sllv_epi64(ties, _mm256_add_epi64(base, right_odd))),
      .count = _mm256_sub_epi32(right, one),
      .factors = {.multiplier = multiplier,
                  .left = _mm256_max_epi32(zero, shift),
                  .right = right,
                  .offset = _mm256_set1_epi32(q->output_offset)},
      .scale = scale,
      .offset = _mm256_loadu_ps(ends->offset + at),
      .below = _mm256_loadu_ps(ends->below + at),
      .low = _mm256_set1_epi8((char)q->act_min),
      .high = _mm256_set1_epi8((char)q->act_max),
      .rounding = spk_rounding_of(q, !_mm256_movemask_ps(is_zero),
                                  _mm256_testz_si256(outside, outside)),
  };
}

SPK_TARGET_CHANNELS_AVX2 SPK_ALWAYS_INLINE __m256i
spk_channels_once_avx2(__m256i product, __m256i constant, const spk_rounding rounding) {
  const __m256i sum = _mm256_add_epi64(product, constant);
  if (rounding == SPK_ROUND_SHORT_RELU) return sum;
  const __m256i negative = _mm256_cmpgt_epi64(_mm256_setzero_si256(), product);
  return _mm256_add_epi64(sum, _mm256_slli_epi64(negative, 31));  // -1 << 31
}

SPK_TARGET_CHANNELS_AVX2 SPK_ALWAYS_INLINE __m256i
spk_scale_lanes_avx2(__m256i sum, const spk_channels_avx2 *c) {
  const __m256 offset = _mm256_blendv_ps(c->offset, c->below, _mm256_castsi256_ps(sum));
  return _mm256_cvtps_epi32(_mm256_fmadd_ps(_mm256_cvtepi32_ps(sum), c->scale, offset));
}

SPK_TARGET_CHANNELS_AVX2 SPK_ALWAYS_INLINE __m256i spk_requantize_channels_avx2(
    __m256i sum, const spk_channels_avx2 *c, const spk_rounding rounding) {
  if (rounding == SPK_ROUND_TWICE) return spk_requantize_avx2(sum, &c->factors);
  if (rounding == SPK_ROUND_F32) return spk_scale_lanes_avx2(sum, c);
  if (rounding == SPK_ROUND_F32_RELU)
    return _mm256_cvtps_epi32(_mm256_fmadd_ps(_mm256_cvtepi32_ps(sum), c->scale, c->offset));
  const __m256i even =
      spk_channels_once_avx2(_mm256_mul_epi32(sum, c->multiplier), c->even, rounding);
  const __m256i odd = spk_channels_once_avx2(
      _mm256_mul_epi32(_mm256_srli_epi64(sum, 32), c->multiplier_odd), c->odd, rounding);
  const __m256i high = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
  return _mm256_srav_epi32(high, c->count);
}

// Rounds `count` sums of one vector of channels in place.
SPK_TARGET_CHANNELS_AVX2 SPK_ALWAYS_INLINE void spk_round_channels_avx2(
    __m256i *sum, const int count, const spk_channels_avx2 *c) {
#define SPK_ROUND_ALL(rounding)                                    \
  _Pragma("GCC unroll 4") for (int i = 0; i < count; ++i) sum[i] = \
      spk_requantize_channels_avx2(sum[i], c, rounding)
  if (c->rounding == SPK_ROUND_F32_RELU)
    SPK_ROUND_ALL(SPK_ROUND_F32_RELU);
  else if (c->rounding == SPK_ROUND_F32)
    SPK_ROUND_ALL(SPK_ROUND_F32);
  else if (c->rounding == SPK_ROUND_SHORT_RELU)
    SPK_ROUND_ALL(SPK_ROUND_SHORT_RELU);
  else if (c->rounding == SPK_ROUND_SHORT)
    SPK_ROUND_ALL(SPK_ROUND_SHORT);
  else
    SPK_ROUND_ALL(SPK_ROUND_TWICE);
#undef SPK_ROUND_ALL
}

// The sums of four pixels -> four times eight outputs.
SPK_TARGET_CHANNELS_AVX2 SPK_ALWAYS_INLINE __m256i
spk_finish_channels_avx2(const __m256i *sum, const spk_channels_avx2 *c) {
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  __m256i r[4] = {sum[0], sum[1], sum[2], sum[3]};
  spk_round_channels_avx2(r, 4, c);
  const __m256i words =
      _mm256_packs_epi16(_mm256_packs_epi32(r[0], r[1]), _mm256_packs_epi32(r[2], r[3]));
  const __m256i bytes = _mm256_permutevar8x32_epi32(words, order);
  return _mm256_min_epi8(c->high, _mm256_max_epi8(c->low, bytes));
}

#endif  // SPK_KERNELS_X86_DEPTHWISE_ENDS_S8_H_
