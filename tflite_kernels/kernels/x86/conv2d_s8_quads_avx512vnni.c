// Sparse int8 CONV_2D, output pixels in the lanes of zmm registers, AVX512-VNNI.
#include <immintrin.h>

#include "formats/tuples_s8.h"
#include "kernels/x86/kernels_x86.h"
#include "kernels/x86/planar_s8.h"
#include "kernels/x86/requantize.h"

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,avx2")))

#define VECTOR          __m512i
#define BYTES           64
#define LOAD            _mm512_loadu_si512
#define STORE           _mm512_store_si512
#define SET32           _mm512_set1_epi32
#define SET8            _mm512_set1_epi8
#define UNPACKLO8       _mm512_unpacklo_epi8
#define UNPACKHI8       _mm512_unpackhi_epi8
#define UNPACKLO16      _mm512_unpacklo_epi16
#define UNPACKHI16      _mm512_unpackhi_epi16
#define DOT             _mm512_dpbusd_epi32
#define PACKS32         _mm512_packs_epi32
#define PACKS16         _mm512_packs_epi16
#define MIN8            _mm512_min_epi8
#define MAX8            _mm512_max_epi8
#define FACTORS         spk_factors_avx512
#define CHANNEL_FACTORS spk_channel_factors_avx512
#define REQUANTIZE      spk_requantize_avx512
#define NAME(x)         x##_zmm
#include "kernels/x86/conv2d_s8_quads_template.h"

#undef VECTOR
#undef BYTES
#undef LOAD
#undef STORE
#undef SET32
#undef SET8
#undef UNPACKLO8
#undef UNPACKHI8
#undef UNPACKLO16
#undef UNPACKHI16
#undef DOT
#undef PACKS32
#undef PACKS16
#undef MIN8
#undef MAX8
#undef FACTORS
#undef CHANNEL_FACTORS
#undef REQUANTIZE
#undef NAME

// The last pixels of a band in half a vector.
#define DOT _mm256_dpbusd_epi32
#include "kernels/x86/conv2d_s8_quads_ymm.h"

static void compute(const spk_args *args, const void *planes, int32_t pixels, int32_t begin,
                    int32_t end, void *tile) {
  if (pixels >= 64)
    compute_zmm(args, planes, pixels, begin, end, tile);
  else
    compute_ymm(args, planes, pixels, begin, end, tile);
}

// 64 pixels of 16 channels: each 128-bit lane is a 16x16 transposition of its own, in four
// rounds that interleave the first half of the rows with the second.
TARGET static inline void transpose_lanes(__m512i *r) {
  __m512i t[16];
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 8; ++i) {
      t[2 * i] = _mm512_unpacklo_epi8(r[i], r[i + 8]);
      t[2 * i + 1] = _mm512_unpackhi_epi8(r[i], r[i + 8]);
    }
    for (int i = 0; i < 16; ++i) r[i] = t[i];
  }
}

TARGET static inline void store_pixel(__m128i channels, int32_t to, uint8_t *output) {
  if (to >= 0) _mm_storeu_si128((__m128i *)(void *)(output + to), channels);
}

TARGET static void store(const void *tile, int32_t pixels, int32_t channels, const int32_t *to,
                         void *output) {
  if (channels < 16 || pixels % 64 != 0) {
    spk_planar_s8_store(tile, pixels, channels, to, output);
    return;
  }
  for (int32_t p = 0; p < pixels; p += 64) {
    __m512i r[16];
    for (int i = 0; i < 16; ++i)
      r[i] = _mm512_load_si512((const uint8_t *)tile + (size_t)i * kSpkMaxTile + p);
    transpose_lanes(r);
    for (int i = 0; i < 16; ++i) {
      store_pixel(_mm512_castsi512_si128(r[i]), to[p + i], output);
      store_pixel(_mm512_extracti32x4_epi32(r[i], 1), to[p + 16 + i], output);
      store_pixel(_mm512_extracti32x4_epi32(r[i], 2), to[p + 32 + i], output);
      store_pixel(_mm512_extracti32x4_epi32(r[i], 3), to[p + 48 + i], output);
    }
  }
}

void spk_conv2d_s8_quads__avx512vnni(const spk_args *args) {
  static const spk_planar_kernel kernel = {
      .tiles = {128, 64, 32, 0}, .compute = compute, .store = store};
  spk_planar_s8_run(args, &kernel);
}
