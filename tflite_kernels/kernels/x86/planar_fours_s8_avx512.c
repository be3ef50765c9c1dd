// NHWC to planes of four channels and back, with AVX-512.
#include <immintrin.h>

#include "kernels/x86/planar_fours_s8.h"

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

// `channels` of the planes, 16 of them (64 channels of the input) at a time.
TARGET void spk_planar_fours_s8_pack_avx512(const void *const *pixels, int32_t count,
                                            int32_t channels, void *planes, int32_t plane) {
  const __m512i flip = _mm512_set1_epi8((char)0x80);
  for (int32_t c = 0; c < channels; c += 16) {
    const int32_t part = channels - c < 16 ? channels - c : 16;
    const __mmask16 lanes = first_lanes(part);
    for (int32_t p = 0; p < count; p += 16) {
      __m512i r[16];
#pragma GCC unroll 16
      for (int i = 0; i < 16; ++i)
        r[i] = _mm512_maskz_loadu_epi32(lanes, (const int32_t *)pixels[p + i] + c);
      transpose16(r);
#pragma GCC unroll 16
      for (int i = 0; i < 16; ++i)
        if (i < part)
          _mm512_storeu_si512((int32_t *)planes + (size_t)(c + i) * plane + p,
                              _mm512_xor_si512(r[i], flip));
    }
  }
}

TARGET void spk_planar_fours_s8_store_avx512(const void *tile, int32_t pixels, int32_t channels,
                                             const int32_t *to, void *output) {
  const __mmask64 bytes = channels >= 64 ? ~UINT64_C(0) : (UINT64_C(1) << channels) - 1;
  const int32_t words = (channels + 3) / 4;
  for (int32_t p = 0; p < pixels; p += 16) {
    __m512i r[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i)
      r[i] = i < words ? _mm512_load_si512((const int32_t *)tile + (size_t)i * kSpkMaxTile + p)
                       : _mm512_setzero_si512();
    transpose16(r);
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i)
      if (to[p + i] >= 0) _mm512_mask_storeu_epi8((uint8_t *)output + to[p + i], bytes, r[i]);
  }
}
