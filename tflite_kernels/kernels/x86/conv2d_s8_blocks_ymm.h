// conv2d_s8_blocks_template.h for ymm registers, 8 output pixels in each; the including file
// defines TARGET and DOT.
// One broadcast, not one for each vector.
TARGET static inline __m256i broadcast(const uint32_t *words) {
  __m256i weights = _mm256_set1_epi32((int32_t)words[0]);
  __asm__("" : "+x"(weights));
  return weights;
}

TARGET static inline __m256i interleave(__m256i words) {
  const __m128i order = _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return _mm256_shuffle_epi8(words, _mm256_broadcastsi128_si256(order));
}

#define VECTOR      __m256i
#define BROADCAST   broadcast
#define BYTES       32
#define LOAD(p)     _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define STORE(p, v) _mm256_store_si256((__m256i *)(void *)(p), v)
#define SET32       _mm256_set1_epi32
#define SET64       _mm256_set1_epi64x
#define SET8        _mm256_set1_epi8
#define PACKS32     _mm256_packs_epi32
#define PACKS16     _mm256_packs_epi16
#define PACKU16     _mm256_packus_epi16
#define MIN8        _mm256_min_epi8
#define MAX8        _mm256_max_epi8
#define MAXU8       _mm256_max_epu8
#define MINU8       _mm256_min_epu8
#define INTERLEAVE  interleave
#define ISA         avx2
#define NAME(x)     x##_ymm
#include "kernels/x86/channels_s8_template.h"
#include "kernels/x86/conv2d_s8_blocks_template.h"
