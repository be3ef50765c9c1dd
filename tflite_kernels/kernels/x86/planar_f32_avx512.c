#include <immintrin.h>

#include "kernels/x86/planar_f32.h"

#define AVX512 __attribute__((target("avx512f,avx2,fma")))

// Four columns from 16 rows of a matrix. The rows come as quarters, straight from memory into
// their places, which leaves half of the shuffles of a transposition between registers.
AVX512 static inline __attribute__((always_inline)) void load_columns(const float *const *rows,
                                                                      size_t column,
                                                                      __m512 *to) {
  __m512 r[4], t[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    r[i] = _mm512_castps128_ps512(_mm_loadu_ps(rows[i] + column));
    r[i] = _mm512_insertf32x4(r[i], _mm_loadu_ps(rows[i + 4] + column), 1);
    r[i] = _mm512_insertf32x4(r[i], _mm_loadu_ps(rows[i + 8] + column), 2);
    r[i] = _mm512_insertf32x4(r[i], _mm_loadu_ps(rows[i + 12] + column), 3);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 4; i += 2) {
    t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 2; ++i) {
    to[2 * i] = _mm512_shuffle_ps(t[i], t[i + 2], 0x44);
    to[2 * i + 1] = _mm512_shuffle_ps(t[i], t[i + 2], 0xee);
  }
}

AVX512 void spk_planar_f32_avx512_pack_pixels(const void *const *pixels, int32_t count,
                                              int32_t channels, void *planes, int32_t plane) {
  const int32_t whole = channels / 16 * 16;
  float *to = planes;
  for (int32_t p = 0; p < count; p += 16) {
    const float *rows[16];
    for (int i = 0; i < 16; ++i) rows[i] = pixels[p + i];
    for (int32_t c = 0; c < whole; c += 4) {
      __m512 r[4];
      load_columns(rows, (size_t)c, r);
      for (int i = 0; i < 4; ++i)
        _mm512_storeu_ps(to + (size_t)(c + i) * (size_t)plane + p, r[i]);
    }
  }
  spk_planar_f32_pack_channels(pixels, count, whole, channels, planes, plane);
}

// Four pixels at a time, of all channels: whole lines, side by side.
AVX512 void spk_planar_f32_avx512_store(const void *tile, int32_t pixels, int32_t channels,
                                        const int32_t *to, void *output) {
  for (int32_t p = 0; p < pixels; p += 4) {
    for (int32_t c = 0; c < channels; c += 16) {
      const __mmask16 exist = (__mmask16)(channels - c < 16 ? (1 << (channels - c)) - 1 : -1);
      const float *rows[16];
      for (int i = 0; i < 16; ++i) rows[i] = (const float *)tile + (c + i) * (int64_t)pixels;
      __m512 r[4];
      load_columns(rows, (size_t)p, r);
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i)
        if (to[p + i] >= 0) _mm512_mask_storeu_ps((float *)output + to[p + i] + c, exist, r[i]);
    }
  }
}
