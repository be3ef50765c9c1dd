// The ends of int8 FULLY_CONNECTED kernels: a vector holds the sums of eight or sixteen
// neighbouring rows.
//
// Where the scale factors are below a quarter, 31 - shift is above 32 and only the upper half
// of the 64-bit product takes part: all lanes are then rounded at once, in 32 bits.
#ifndef SPK_KERNELS_X86_ROWS_S8_H_
#define SPK_KERNELS_X86_ROWS_S8_H_

#include <immintrin.h>
#include <string.h>

#include "kernels/x86/requantize.h"
#include "spk/layer.h"

#define SPK_TARGET_ROWS_AVX512 __attribute__((target("avx512f,avx512bw,avx512vl,avx2")))
#define SPK_TARGET_ROWS_AVX2   __attribute__((target("avx2")))

// Per lane: where the sum starts, and how the row is requantised.
typedef struct spk_rows_avx512 {
  __m512i first;
  spk_once_avx512 factors;
  __m512i count;  // of the short way: -shift - 2
  __m512i low, high;
  int is_short;
} spk_rows_avx512;

typedef struct spk_rows_avx2 {
  __m256i first;
  spk_once_avx2 factors;
  __m256i count, low, high;
  int is_short;
} spk_rows_avx2;

// Rows [row, row + count) with the sums of their weights, of which a whole vector is readable.
// `input_bias` is what the kernel has added to each input.
SPK_TARGET_ROWS_AVX512 static inline spk_rows_avx512 spk_rows_of_avx512(const spk_layer *layer,
                                                                        const int32_t *sum,
                                                                        int32_t row,
                                                                        int32_t count,
                                                                        int32_t input_bias) {
  const spk_requant *q = &layer->requant;
  const __mmask16 exist = (__mmask16)((1u << count) - 1);
  const __m512i offset = _mm512_set1_epi32(q->input_offset - input_bias);
  const __m512i zero = _mm512_setzero_si512(), most = _mm512_set1_epi32(-31);
  const __m512i shift = _mm512_mask_loadu_epi32(most, exist, q->shift + row);
  spk_rows_avx512 r = {
      .first = _mm512_mullo_epi32(_mm512_loadu_si512(sum), offset),
      .factors = {.multiplier = _mm512_maskz_loadu_epi32(exist, q->multiplier + row),
                  .low = zero,
                  .right = _mm512_sub_epi32(_mm512_set1_epi32(31), shift),
                  .offset = _mm512_set1_epi32(q->output_offset)},
      .count = _mm512_sub_epi32(_mm512_set1_epi32(-2), shift),
      .low = _mm512_set1_epi32(q->act_min),
      .high = _mm512_set1_epi32(q->act_max),
      .is_short = !_mm512_cmpgt_epi32_mask(shift, _mm512_set1_epi32(-2)) &&
                  !_mm512_cmplt_epi32_mask(shift, most),
  };
  if (q->multiplier_low)
    r.factors.low = _mm512_maskz_loadu_epi32(exist, q->multiplier_low + row);
  if (layer->bias) {
    const int32_t *bias = (const int32_t *)layer->bias + row;
    r.first = _mm512_add_epi32(r.first, _mm512_maskz_loadu_epi32(exist, bias));
  }
  return r;
}

// The upper half of size * multiplier + (size * low >> 32), in each 64-bit lane.
SPK_TARGET_ROWS_AVX512 static inline __m512i spk_upper_half_avx512(__m512i size,
                                                                   __m512i multiplier,
                                                                   __m512i low) {
  return _mm512_add_epi64(_mm512_mul_epu32(size, multiplier),
                          _mm512_srli_epi64(_mm512_mul_epu32(size, low), 32));
}

SPK_TARGET_ROWS_AVX512 static inline __m512i spk_requantize_rows_avx512(
    __m512i sum, const spk_rows_avx512 *r) {
  if (!r->is_short) return spk_requantize_once_avx512(sum, &r->factors);
  const __m512i m = r->factors.multiplier, l = r->factors.low, zero = _mm512_setzero_si512();
  const __m512i size = _mm512_abs_epi32(sum);
  const __m512i even = spk_upper_half_avx512(size, m, l);
  const __m512i odd = spk_upper_half_avx512(_mm512_srli_epi64(size, 32),
                                            _mm512_srli_epi64(m, 32), _mm512_srli_epi64(l, 32));
  const __m512i half = _mm512_mask_shuffle_epi32(odd, 0x5555, even, (_MM_PERM_ENUM)0xf5);
  const __m512i twice = _mm512_srlv_epi32(half, r->count);
  const __m512i scaled = _mm512_srli_epi32(_mm512_add_epi32(twice, _mm512_set1_epi32(1)), 1);
  const __mmask16 negative = _mm512_cmplt_epi32_mask(sum, zero);
  return _mm512_add_epi32(_mm512_mask_sub_epi32(scaled, negative, zero, scaled),
                          r->factors.offset);
}

// Sums without bias -> `count` outputs.
SPK_TARGET_ROWS_AVX512 static inline void spk_finish_rows_avx512(__m512i sum,
                                                                 const spk_rows_avx512 *r,
                                                                 int32_t count,
                                                                 int8_t *output) {
  const __m512i scaled = spk_requantize_rows_avx512(_mm512_add_epi32(sum, r->first), r);
  const __m512i clamped = _mm512_min_epi32(r->high, _mm512_max_epi32(r->low, scaled));
  const __m128i bytes = _mm512_cvtepi32_epi8(clamped);
  if (count == 16) {
    _mm_storeu_si128((__m128i *)(void *)output, bytes);
  } else {
    int8_t few[16];
    _mm_storeu_si128((__m128i *)(void *)few, bytes);
    memcpy(output, few, (size_t)count);
  }
}

SPK_TARGET_ROWS_AVX2 static inline __m256i spk_load_rows_avx2(const void *from, int32_t count) {
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  return _mm256_maskload_epi32((const int *)from,
                               _mm256_cmpgt_epi32(_mm256_set1_epi32(count), lanes));
}

SPK_TARGET_ROWS_AVX2 static inline spk_rows_avx2 spk_rows_of_avx2(const spk_layer *layer,
                                                                  const int32_t *sum,
                                                                  int32_t row, int32_t count,
                                                                  int32_t input_bias) {
  const spk_requant *q = &layer->requant;
  const __m256i offset = _mm256_set1_epi32(q->input_offset - input_bias);
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7),
                most = _mm256_set1_epi32(-31);
  const __m256i exist = _mm256_cmpgt_epi32(_mm256_set1_epi32(count), lanes);
  const __m256i shift =
      _mm256_blendv_epi8(most, spk_load_rows_avx2(q->shift + row, count), exist);
  const __m256i outside = _mm256_or_si256(_mm256_cmpgt_epi32(shift, _mm256_set1_epi32(-2)),
                                          _mm256_cmpgt_epi32(most, shift));
  spk_rows_avx2 r = {
      .first =
          _mm256_mullo_epi32(_mm256_loadu_si256((const __m256i *)(const void *)sum), offset),
      .factors = {.multiplier = spk_load_rows_avx2(q->multiplier + row, count),
                  .low = _mm256_setzero_si256(),
                  .right = _mm256_sub_epi32(_mm256_set1_epi32(31), shift),
                  .offset = _mm256_set1_epi32(q->output_offset)},
      .count = _mm256_sub_epi32(_mm256_set1_epi32(-2), shift),
      .low = _mm256_set1_epi32(q->act_min),
      .high = _mm256_set1_epi32(q->act_max),
      .is_short = _mm256_testz_si256(outside, outside),
  };
  if (q->multiplier_low) r.factors.low = spk_load_rows_avx2(q->multiplier_low + row, count);
  if (layer->bias)
    r.first = _mm256_add_epi32(r.first,
                               spk_load_rows_avx2((const int32_t *)layer->bias + row, count));
  return r;
}

SPK_TARGET_ROWS_AVX2 static inline __m256i spk_upper_half_avx2(__m256i size, __m256i multiplier,
                                                               __m256i low) {
  return _mm256_add_epi64(_mm256_mul_epu32(size, multiplier),
                          _mm256_srli_epi64(_mm256_mul_epu32(size, low), 32));
}

SPK_TARGET_ROWS_AVX2 static inline __m256i spk_requantize_rows_avx2(__m256i sum,
                                                                    const spk_rows_avx2 *r) {
  if (!r->is_short) return spk_requantize_once_avx2(sum, &r->factors);
  const __m256i m = r->factors.multiplier, l = r->factors.low;
  const __m256i size = _mm256_abs_epi32(sum);
  const __m256i even = spk_upper_half_avx2(size, m, l);
  const __m256i odd = spk_upper_half_avx2(_mm256_srli_epi64(size, 32), _mm256_srli_epi64(m, 32),
                                          _mm256_srli_epi64(l, 32));
  const __m256i half = _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
  const __m256i twice = _mm256_srlv_epi32(half, r->count);
  const __m256i scaled = _mm256_srli_epi32(_mm256_add_epi32(twice, _mm256_set1_epi32(1)), 1);
  return _mm256_add_epi32(_mm256_sign_epi32(scaled, sum), r->factors.offset);
}

SPK_TARGET_ROWS_AVX2 static inline void spk_finish_rows_avx2(__m256i sum,
                                                             const spk_rows_avx2 *r,
                                                             int32_t count, int8_t *output) {
  const __m256i scaled = spk_requantize_rows_avx2(_mm256_add_epi32(sum, r->first), r);
  const __m256i clamped = _mm256_min_epi32(r->high, _mm256_max_epi32(r->low, scaled));
  const __m256i words = _mm256_packs_epi32(clamped, clamped);
  const __m256i bytes = _mm256_packs_epi16(words, words);
  const int32_t halves[2] = {_mm256_extract_epi32(bytes, 0), _mm256_extract_epi32(bytes, 4)};
  memcpy(output, halves, count == 8 ? 8 : (size_t)count);
}

#endif  // SPK_KERNELS_X86_ROWS_S8_H_
