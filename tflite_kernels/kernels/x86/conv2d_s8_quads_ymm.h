// conv2d_s8_quads_template.h for ymm registers; the including file defines TARGET and DOT.
#define VECTOR      __m256i
#define BYTES       32
#define LOAD(p)     _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define STORE(p, v) _mm256_store_si256((__m256i *)(void *)(p), v)
#define SET32       _mm256_set1_epi32
#define SET64       _mm256_set1_epi64x
#define SET8        _mm256_set1_epi8
#define ZERO        _mm256_setzero_si256
#define UNPACKLO8   _mm256_unpacklo_epi8
#define UNPACKHI8   _mm256_unpackhi_epi8
#define UNPACKLO16  _mm256_unpacklo_epi16
#define UNPACKHI16  _mm256_unpackhi_epi16
#define PACKS32     _mm256_packs_epi32
#define PACKS16     _mm256_packs_epi16
#define MIN8        _mm256_min_epi8
#define MAX8        _mm256_max_epi8
#define ISA         avx2
#define NAME(x)     x##_ymm
#include "kernels/x86/channels_s8_template.h"
#include "kernels/x86/conv2d_s8_quads_template.h"
