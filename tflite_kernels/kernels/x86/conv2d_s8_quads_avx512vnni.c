// Sparse int8 CONV_2D, output pixels in the lanes of zmm registers, AVX512-VNNI.
#include <immintrin.h>
#include <string.h>

#include "formats/tuples_s8.h"
#include "kernels/x86/kernels_x86.h"
#include "kernels/x86/planar_fours_s8.h"
#include "kernels/x86/planar_s8.h"
#include "kernels/x86/requantize.h"

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,avx2,fma")))

// As an instruction, so that the compiler cannot copy the sums around it, as gcc 12 does.
#define DOT(sum, x, weights) __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(x), "v"(weights))

#define VECTOR     __m512i
#define BYTES      64
#define LOAD       _mm512_loadu_si512
#define STORE      _mm512_store_si512
#define SET32      _mm512_set1_epi32
#define SET64      _mm512_set1_epi64
#define SET8       _mm512_set1_epi8
#define ZERO       _mm512_setzero_si512
#define UNPACKLO8  _mm512_unpacklo_epi8
#define UNPACKHI8  _mm512_unpackhi_epi8
#define UNPACKLO16 _mm512_unpacklo_epi16
#define UNPACKHI16 _mm512_unpackhi_epi16
#define PACKS32    _mm512_packs_epi32
#define PACKS16    _mm512_packs_epi16
#define MIN8       _mm512_min_epi8
#define MAX8       _mm512_max_epi8
#define ISA        avx512
#define NAME(x)    x##_zmm
#include "kernels/x86/channels_s8_template.h"
#include "kernels/x86/conv2d_s8_quads_template.h"

#undef VECTOR
#undef BYTES
#undef LOAD
#undef STORE
#undef SET32
#undef SET64
#undef SET8
#undef ZERO
#undef UNPACKLO8
#undef UNPACKHI8
#undef UNPACKLO16
#undef UNPACKHI16
#undef PACKS32
#undef PACKS16
#undef MIN8
#undef MAX8
#undef ISA
#undef NAME

// The last pixels of a band in half a vector.
#include "kernels/x86/conv2d_s8_quads_ymm.h"

static void compute(const spk_args *args, const void *planes, int32_t pixels, int32_t begin,
                    int32_t end, void *tile) {
  if (pixels >= 64)
    compute_zmm(args, planes, pixels, begin, end, tile);
  else
    compute_ymm(args, planes, pixels, begin, end, tile);
}

static void store(const void *tile, int32_t pixels, int32_t channels, const int32_t *to,
                  void *output) {
  int32_t ordered[kSpkMaxTile];
  if (pixels >= 64)
    order_zmm(to, pixels, ordered);
  else
    order_ymm(to, pixels, ordered);
  spk_planar_fours_s8_store_avx512(tile, pixels, channels, ordered, output);
}

// 64 pixels of 16 channels: each 128-bit lane is a 16x16 transposition of its own, in four
// rounds that interleave the first half of the rows with the second.
TARGET static inline __attribute__((always_inline)) void transpose_lanes(__m512i *r) {
  __m512i t[16];
#pragma GCC unroll 4
  for (int round = 0; round < 4; ++round) {
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      t[2 * i] = _mm512_unpacklo_epi8(r[i], r[i + 8]);
      t[2 * i + 1] = _mm512_unpackhi_epi8(r[i], r[i + 8]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) r[i] = t[i];
  }
}

TARGET static void pack(const void *const *pixels, int32_t count, int32_t channels,
                        void *planes, int32_t plane) {
  const __m512i flip = _mm512_set1_epi8((char)0x80);
  for (int32_t c = 0; c < channels; c += 16) {
    const int32_t part = channels - c < 16 ? channels - c : 16;
    const __mmask16 bytes = (__mmask16)((1u << part) - 1);
    for (int32_t p = 0; p < count; p += 64) {
      __m512i r[16];
#pragma GCC unroll 16
      for (int i = 0; i < 16; ++i) {
        const int8_t *const *pixel = (const int8_t *const *)pixels + p + i;
        r[i] = _mm512_castsi128_si512(_mm_maskz_loadu_epi8(bytes, pixel[0] + c));
        r[i] = _mm512_inserti32x4(r[i], _mm_maskz_loadu_epi8(bytes, pixel[16] + c), 1);
        r[i] = _mm512_inserti32x4(r[i], _mm_maskz_loadu_epi8(bytes, pixel[32] + c), 2);
        r[i] = _mm512_inserti32x4(r[i], _mm_maskz_loadu_epi8(bytes, pixel[48] + c), 3);
      }
      transpose_lanes(r);
#pragma GCC unroll 16
      for (int i = 0; i < 16; ++i)
        if (i < part)
          _mm512_storeu_si512((uint8_t *)planes + (size_t)(c + i) * plane + p,
                              _mm512_xor_si512(r[i], flip));
    }
  }
}

void spk_conv2d_s8_quads__avx512vnni(const spk_args *args) {
  static const spk_planar_kernel kernel = {
      .tiles = {128, 64, 32, 0}, .pack = pack, .compute = compute, .store = store};
  spk_planar_s8_run_quads(args, &kernel);
}
