// Sparse float32 FULLY_CONNECTED: eight rows, windows of eight inputs, vpermps.
#include <immintrin.h>

#include "kernels/x86/kernels_x86.h"
#include "kernels/x86/windows_x86.h"

#define TARGET __attribute__((target("avx2,fma")))

TARGET static inline __m256 lookup(const float *x, const uint8_t *index) {
  const __m128i bytes = _mm_loadl_epi64((const __m128i *)(const void *)index);
  return _mm256_permutevar8x32_ps(_mm256_loadu_ps(x), _mm256_cvtepu8_epi32(bytes));
}

#define VECTOR  __m256
#define LANES   8
#define SHAPE   kSpkWindowsF32Avx2
#define LOOKUP  lookup
#define LOAD    _mm256_loadu_ps
#define STORE   _mm256_storeu_ps
#define ZERO    _mm256_setzero_ps
#define FMA     _mm256_fmadd_ps
#define ADD     _mm256_add_ps
#define SET1    _mm256_set1_ps
#define MIN     _mm256_min_ps
#define MAX     _mm256_max_ps
#define NAME(x) x##_avx2
#include "kernels/x86/fully_connected_f32_windows_template.h"

void spk_fully_connected_f32_windows__avx2(const spk_args *args) { run_avx2(args); }
