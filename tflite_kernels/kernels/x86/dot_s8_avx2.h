// Sums of four int8 products in each 32-bit lane, AVX2 without VNNI.
//
// |x| * sign(w, x) = x * w, and sums of two stay below 2 * 128 * 127 < 2^15, so vpmaddubsw is
// exact as long as no weight is -128, which vpsignb could not negate either.
#ifndef SPK_KERNELS_X86_DOT_S8_AVX2_H_
#define SPK_KERNELS_X86_DOT_S8_AVX2_H_

#include <immintrin.h>

__attribute__((target("avx2"))) static inline __m256i spk_dot_s8_avx2(__m256i sum, __m256i x,
                                                                      __m256i weights) {
  const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(x), _mm256_sign_epi8(weights, x));
  return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

#endif  // SPK_KERNELS_X86_DOT_S8_AVX2_H_
