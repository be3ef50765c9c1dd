// NHWC to planes of four channels and back, with AVX2.
#include <immintrin.h>
#include <string.h>

#include "kernels/x86/planar_fours_s8.h"
#include "kernels/x86/planes_s8.h"

#define AVX2 __attribute__((target("avx2")))

enum { kSide = 8 };

// Eight vectors of eight words: r[i][j] -> r[j][i].
AVX2 static inline __attribute__((always_inline)) void transpose8(__m256i *r) {
  __m256i t[kSide], u[kSide];
  for (int i = 0; i < kSide; i += 2) {
    t[i] = _mm256_unpacklo_epi32(r[i], r[i + 1]);
    t[i + 1] = _mm256_unpackhi_epi32(r[i], r[i + 1]);
  }
  for (int i = 0; i < kSide; i += 4) {
    u[i] = _mm256_unpacklo_epi64(t[i], t[i + 2]);
    u[i + 1] = _mm256_unpackhi_epi64(t[i], t[i + 2]);
    u[i + 2] = _mm256_unpacklo_epi64(t[i + 1], t[i + 3]);
    u[i + 3] = _mm256_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
  for (int i = 0; i < 4; ++i) {
    r[i] = _mm256_permute2x128_si256(u[i], u[i + 4], 0x20);
    r[i + 4] = _mm256_permute2x128_si256(u[i], u[i + 4], 0x31);
  }
}

AVX2 static inline __m256i first_lanes(int32_t count) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(count),
                            _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

AVX2 void spk_planar_fours_s8_pack_pixels(const void *const *pixels, int32_t count,
                                          int32_t channels, void *planes, int32_t plane) {
  const __m256i flip = _mm256_set1_epi8((char)0x80);
  for (int32_t c = 0; c < channels; c += kSide) {
    const int32_t part = channels - c < kSide ? channels - c : kSide;
    const __m256i lanes = first_lanes(part);
    for (int32_t p = 0; p < count; p += kSide) {
      __m256i r[kSide];
      for (int i = 0; i < kSide; ++i)
        r[i] = _mm256_maskload_epi32((const int *)pixels[p + i] + c, lanes);
      transpose8(r);
      for (int i = 0; i < part; ++i)
        _mm256_storeu_si256(
            (__m256i *)(void *)((int32_t *)planes + (size_t)(c + i) * plane + p),
            _mm256_xor_si256(r[i], flip));
    }
  }
}

// The first `count` bytes; masked stores are slow on some processors.
AVX2 static inline void store_bytes(int8_t *to, __m256i bytes, int32_t count) {
  if (count >= 32) {
    _mm256_storeu_si256((__m256i *)(void *)to, bytes);
    return;
  }
  __m128i part = _mm256_castsi256_si128(bytes);
  if (count & 16) {
    _mm_storeu_si128((__m128i *)(void *)to, part);
    part = _mm256_extracti128_si256(bytes, 1);
    to += 16;
  }
  if (count & 8) {
    _mm_storel_epi64((__m128i *)(void *)to, part);
    part = _mm_srli_si128(part, 8);
    to += 8;
  }
  const int64_t rest = _mm_cvtsi128_si64(part);
  if (count % 8 == 4)
    memcpy(to, &rest, 4);
  else if (count % 8)
    memcpy(to, &rest, (size_t)(count % 8));
}

// Up to 32 channels of words of four, `stride` of them from one four to the next; `flip` is
// what makes int8 of them.
AVX2 static inline __attribute__((always_inline)) void store_channels(
    const int32_t *from, size_t stride, int32_t pixels, int32_t channels, const int32_t *to,
    int8_t *output, __m256i flip) {
  const int32_t words = (channels + kSpkFour - 1) / kSpkFour;
  for (int32_t p = 0; p < pixels; p += kSide) {
    __m256i r[kSide];
    for (int i = 0; i < kSide; ++i) {
      const int32_t *at = from + p + (size_t)i * stride;
      r[i] = i < words ? _mm256_load_si256((const __m256i *)(const void *)at)
                       : _mm256_setzero_si256();
    }
    transpose8(r);
    for (int i = 0; i < kSide; ++i)
      if (to[p + i] >= 0)
        store_bytes(output + to[p + i], _mm256_xor_si256(r[i], flip), channels);
  }
}

AVX2 void spk_planar_fours_s8_store(const void *tile, int32_t pixels, int32_t channels,
                                    const int32_t *to, void *output) {
  for (int32_t c = 0; c < channels; c += kSpkFour * kSide)
    store_channels((const int32_t *)tile + (size_t)(c / kSpkFour) * kSpkMaxTile, kSpkMaxTile,
                   pixels, channels - c, to, (int8_t *)output + c, _mm256_setzero_si256());
}

AVX2 void spk_planes_s8_store_avx2(spk_planes_tile from, int32_t pixels, int32_t channels,
                                   const int32_t *to, void *output) {
  const size_t stride = (size_t)from.stride;
  for (int32_t c = 0; c < channels; c += kSpkFour * kSide)
    store_channels((const int32_t *)from.at + (size_t)(c / kSpkFour) * stride, stride, pixels,
                   channels - c, to, (int8_t *)output + c, _mm256_set1_epi8((char)0x80));
}
