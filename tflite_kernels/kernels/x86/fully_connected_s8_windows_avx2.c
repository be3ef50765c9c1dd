// Sparse int8 FULLY_CONNECTED by look-up, AVX2 without VNNI.
//
// |x| * sign(w, x) = x * w, and sums of two stay below 2 * 128 * 127 < 2^15, so vpmaddubsw is
// exact as long as no weight is -128.
#include <immintrin.h>

#include "kernels/x86/kernels_x86.h"
#include "kernels/x86/requantize.h"
#include "kernels/x86/windows_x86.h"

#define TARGET     __attribute__((target("avx2")))
#define INPUT_BIAS 0

TARGET static inline __m256i dot(__m256i sum, __m256i x, __m256i weights) {
  const __m256i pairs = _mm256_maddubs_epi16(_mm256_abs_epi8(x), _mm256_sign_epi8(weights, x));
  return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

#define DOT dot
#include "kernels/x86/fully_connected_s8_windows_ymm.h"

void spk_fully_connected_s8_windows__avx2(const spk_args *args) { run_ymm(args); }
