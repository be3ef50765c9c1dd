// NHWC to planes of four channels and back, with AVX-512.
#include <immintrin.h>

#include "kernels/x86/planar_fours_s8.h"
#include "kernels/x86/planes_s8.h"

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl")))

// Sixteen vectors of 16 words: r[i][j] -> r[j][i].
TARGET static inline __attribute__((always_inline)) void transpose16(__m512i *r) {
  __m512i t[16];
#pragma GCC unroll 8
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_epi32(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_epi32(r[i], r[i + 1]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 16; i += 4) {
    r[i] = _mm512_unpacklo_epi64(t[i], t[i + 2]);
    r[i + 1] = _mm512_unpackhi_epi64(t[i], t[i + 2]);
    r[i + 2] = _mm512_unpacklo_epi64(t[i + 1], t[i + 3]);
    r[i + 3] = _mm512_unpackhi_epi64(t[i + 1], t[i + 3]);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    t[i] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0x88);
    t[i + 4] = _mm512_shuffle_i32x4(r[i], r[i + 4], 0xdd);
    t[i + 8] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0x88);
    t[i + 12] = _mm512_shuffle_i32x4(r[i + 8], r[i + 12], 0xdd);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    r[i] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0x88);
    r[i + 8] = _mm512_shuffle_i32x4(t[i], t[i + 8], 0xdd);
    r[i + 4] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0x88);
    r[i + 12] = _mm512_shuffle_i32x4(t[i + 4], t[i + 12], 0xdd);
  }
}

static inline __mmask16 first_lanes(int32_t count) {
  return count >= 16 ? 0xffff : (__mmask16)((1u << count) - 1);
}

// Four vectors of 16 words, whose 128-bit lanes are pixels i, i + 4, i + 8 and i + 12 with
// words w -> words w of all pixels; and back.
TARGET static inline __attribute__((always_inline)) void transpose4(__m512i *r) {
  const __m512i a = _mm512_unpacklo_epi32(r[0], r[1]), b = _mm512_unpackhi_epi32(r[0], r[1]);
  const __m512i c = _mm512_unpacklo_epi32(r[2], r[3]), d = _mm512_unpackhi_epi32(r[2], r[3]);
  r[0] = _mm512_unpacklo_epi64(a, c);
  r[1] = _mm512_unpackhi_epi64(a, c);
  r[2] = _mm512_unpacklo_epi64(b, d);
  r[3] = _mm512_unpackhi_epi64(b, d);
}

// Pixels p ... p + 15 of up to four words.
TARGET static inline __attribute__((always_inline)) void load_four_words(
    const void *const *pixels, int32_t word, __mmask8 lanes, __m512i *r) {
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    __m128i x[4];
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k)
      x[k] = _mm_maskz_loadu_epi32(lanes, (const int32_t *)pixels[4 * k + i] + word);
    r[i] = _mm512_inserti32x4(
        _mm512_inserti32x4(_mm512_inserti32x4(_mm512_castsi128_si512(x[0]), x[1], 1), x[2], 2),
        x[3], 3);
  }
  transpose4(r);
}

TARGET static inline __attribute__((always_inline)) void store_words(
    const __m512i *r, int32_t words, const int most, int32_t *planes, int32_t plane) {
  const __m512i flip = _mm512_set1_epi8((char)0x80);
#pragma GCC unroll 16
  for (int i = 0; i < most; ++i)
    if (i < words)
      _mm512_storeu_si512(planes + (size_t)i * plane, _mm512_xor_si512(r[i], flip));
}

// `channels` of the planes, 16 of them (64 channels of the input) at a time, in the end by
// fours if that is less work.
TARGET void spk_planar_fours_s8_pack_avx512(const void *const *pixels, int32_t count,
                                            int32_t channels, void *planes, int32_t plane) {
  for (int32_t c = 0, part; c < channels; c += part) {
    const int32_t rest = channels - c;
    part = rest > 8 ? (rest < 16 ? rest : 16) : (rest < 4 ? rest : 4);
    const __mmask16 lanes = first_lanes(part);
    int32_t *to = (int32_t *)planes + (size_t)c * plane;
    for (int32_t p = 0; p < count; p += 16) {
      __m512i r[16];
      if (part <= 4) {
        load_four_words(pixels + p, c, (__mmask8)lanes, r);
        store_words(r, part, 4, to + p, plane);
        continue;
      }
#pragma GCC unroll 16
      for (int i = 0; i < 16; ++i)
        r[i] = _mm512_maskz_loadu_epi32(lanes, (const int32_t *)pixels[p + i] + c);
      transpose16(r);
      store_words(r, part, 16, to + p, plane);
    }
  }
}

// A tile that is stored: words of four channels, `stride` of them from one four to the next.
// `flips`: they are x + 128.
typedef struct stored_tile {
  const int32_t *words;
  size_t stride;
} stored_tile;

TARGET static inline __attribute__((always_inline)) __m512i word_at(const stored_tile *tile,
                                                                    int32_t word,
                                                                    const int flips) {
  const __m512i x = _mm512_load_si512(tile->words + (size_t)word * tile->stride);
  return flips ? _mm512_xor_si512(x, _mm512_set1_epi8((char)0x80)) : x;
}

// Up to 16 channels of 16 pixels.
TARGET static inline __attribute__((always_inline)) void store_four_words(
    const stored_tile *tile, int32_t word, int32_t words, __mmask16 bytes, const int32_t *to,
    uint8_t *output, const int flips) {
  __m512i r[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i)
    r[i] = word + i < words ? word_at(tile, word + i, flips) : _mm512_setzero_si512();
  transpose4(r);
#define STORE(k)            \
  if (to[4 * (k) + i] >= 0) \
  _mm_mask_storeu_epi8(output + to[4 * (k) + i], bytes, _mm512_extracti32x4_epi32(r[i], k))
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    STORE(0);
    STORE(1);
    STORE(2);
    STORE(3);
  }
#undef STORE
}

// Up to 64 channels.
TARGET static inline __attribute__((always_inline)) void store_channels(
    stored_tile tile, int32_t pixels, int32_t channels, const int32_t *to, uint8_t *output,
    const int flips) {
  const __mmask64 bytes = channels >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << channels) - 1;
  const int32_t words = (channels + 3) / 4;
  for (int32_t p = 0; p < pixels; p += 16, tile.words += 16) {
    if (words <= 8) {
      for (int32_t w = 0; w < words; w += 4)
        store_four_words(&tile, w, words, (__mmask16)(bytes >> 4 * w), to + p, output + 4 * w,
                         flips);
      continue;
    }
    __m512i r[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i)
      r[i] = i < words ? word_at(&tile, i, flips) : _mm512_setzero_si512();
    transpose16(r);
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i)
      if (to[p + i] >= 0) _mm512_mask_storeu_epi8(output + to[p + i], bytes, r[i]);
  }
}

TARGET void spk_planar_fours_s8_store_avx512(const void *tile, int32_t pixels, int32_t channels,
                                             const int32_t *to, void *output) {
  store_channels((stored_tile){tile, kSpkMaxTile}, pixels, channels, to, output, 0);
}

TARGET void spk_planes_s8_store_avx512(spk_planes_tile from, int32_t pixels, int32_t channels,
                                       const int32_t *to, void *output) {
  for (int32_t c = 0; c < channels; c += 64) {
    const stored_tile tile = {(const int32_t *)from.at + (size_t)(c / 4) * (size_t)from.stride,
                              (size_t)from.stride};
    store_channels(tile, pixels, channels - c, to, (uint8_t *)output + c, 1);
  }
}
