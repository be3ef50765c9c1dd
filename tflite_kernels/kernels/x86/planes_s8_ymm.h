// planes_s8_template.h for ymm registers: what AVX2 and AVX-VNNI share. The including file
// includes its conv2d_s8_blocks_*.h.
#include "kernels/x86/depthwise_ends_s8.h"
#include "kernels/x86/planes_s8.h"

#define SAME(from)       _mm256_broadcastsi128_si256(_mm_loadu_si128((const void *)(from)))
#define FLOATS           _mm256_castsi256_ps
#define ORDER(x)         _mm256_permute4x64_epi64(x, 0xd8)
#define NEXT(here, next) _mm256_permute2x128_si256(here, next, 0x21)
#define STORE_SOME       store_some
#define UNPACKLO8        _mm256_unpacklo_epi8
#define UNPACKHI8        _mm256_unpackhi_epi8
#define UNPACKLO16       _mm256_unpacklo_epi16
#define UNPACKHI16       _mm256_unpackhi_epi16
#define ADD32            _mm256_add_epi32
#define SRA32            _mm256_sra_epi32

// Masked stores are slow on some processors.
INLINE void store_some(uint8_t *to, __m256i words, int32_t count) {
  if (count >= 8) {
    _mm256_storeu_si256((void *)to, words);
    return;
  }
  __m128i part = _mm256_castsi256_si128(words);
  if (count & 4) {
    _mm_storeu_si128((void *)to, part);
    part = _mm256_extracti128_si256(words, 1);
    to += 4 * kSpkPlanesWord;
  }
  if (count & 2) {
    _mm_storel_epi64((void *)to, part);
    part = _mm_srli_si128(part, 8);
    to += 2 * kSpkPlanesWord;
  }
  const int32_t word = _mm_cvtsi128_si32(part);
  if (count & 1) memcpy(to, &word, sizeof(word));
}
