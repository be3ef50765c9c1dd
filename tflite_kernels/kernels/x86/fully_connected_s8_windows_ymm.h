// fully_connected_s8_windows_template.h for ymm registers: eight rows, windows of 32 inputs;
// the including file defines TARGET, DOT and INPUT_BIAS.
//
// Each half of the window is looked up by itself. vpshufb gives 0 where the index has its top
// bit: + 0x70 sets it for indices from 16 on, - 16 for those below.
TARGET static inline __m256i lookup(const int8_t *x, const uint8_t *index) {
  const __m256i low =
      _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)x));
  const __m256i high =
      _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)(const void *)(x + 16)));
  const __m256i at = _mm256_loadu_si256((const __m256i *)(const void *)index);
  return _mm256_or_si256(_mm256_shuffle_epi8(low, _mm256_add_epi8(at, _mm256_set1_epi8(0x70))),
                         _mm256_shuffle_epi8(high, _mm256_sub_epi8(at, _mm256_set1_epi8(16))));
}

#define VECTOR  __m256i
#define LANES   8
#define SHAPE   kSpkWindowsS8Avx2
#define LOOKUP  lookup
#define LOAD(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define ZERO    _mm256_setzero_si256
#define ADD     _mm256_add_epi32
#define ROWS    spk_rows_avx2
#define ROWS_OF spk_rows_of_avx2
#define FINISH  spk_finish_rows_avx2
#define NAME(x) x##_ymm
#include "kernels/x86/fully_connected_s8_windows_template.h"
