// Sparse float32 FULLY_CONNECTED: sixteen rows, windows of 32 inputs, vpermi2ps.
#include <immintrin.h>

#include "kernels/x86/kernels_x86.h"
#include "kernels/x86/windows_x86.h"

#define TARGET __attribute__((target("avx512f,avx2,fma")))

TARGET static inline __m512 lookup(const float *x, const uint8_t *index) {
  const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)index);
  return _mm512_permutex2var_ps(_mm512_loadu_ps(x), _mm512_cvtepu8_epi32(bytes),
                                _mm512_loadu_ps(x + 16));
}

#define VECTOR  __m512
#define LANES   16
#define SHAPE   kSpkWindowsF32Avx512
#define LOOKUP  lookup
#define LOAD    _mm512_loadu_ps
#define STORE   _mm512_storeu_ps
#define ZERO    _mm512_setzero_ps
#define FMA     _mm512_fmadd_ps
#define ADD     _mm512_add_ps
#define SET1    _mm512_set1_ps
#define MIN     _mm512_min_ps
#define MAX     _mm512_max_ps
#define NAME(x) x##_avx512
#include "kernels/x86/fully_connected_f32_windows_template.h"

void spk_fully_connected_f32_windows__avx512(const spk_args *args) { run_avx512(args); }
