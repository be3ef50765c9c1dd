// fully_connected_s8_runs_template.h for 1x4 blocks and ymm registers: eight rows, windows of
// eight quads, vpermd; the including file defines TARGET, DOT, INPUT_BIAS and FLIP.
TARGET static inline __m256i window_at(const uint8_t *x) {
  return _mm256_loadu_si256((const __m256i *)(const void *)x);
}

TARGET static inline __m256i index_at(const uint8_t *index) {
  return _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)index));
}

#define VECTOR                __m256i
#define LANES                 8
#define SHAPE                 kSpkWindowsQuadsAvx2
#define WINDOW                __m256i
#define WINDOW_AT             window_at
#define INDEX_BYTES           8
#define INDEX                 index_at
#define LOOKUP(window, index) _mm256_permutevar8x32_epi32(window, index)
#define LOAD(p)               _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define ZERO                  _mm256_setzero_si256
#define ADD                   _mm256_add_epi32
#define ROWS                  spk_rows_avx2
#define ROWS_OF               spk_rows_of_avx2
#define FINISH                spk_finish_rows_avx2
#define NAME(x)               x##_ymm
#include "kernels/x86/fully_connected_s8_runs_template.h"
