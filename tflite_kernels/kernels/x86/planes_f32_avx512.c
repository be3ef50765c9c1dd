// Operators on planes with zmm registers.
#include <immintrin.h>

#include "formats/blocks_f32.h"
#include "kernels/x86/planar_f32.h"
#include "kernels/x86/planes_f32.h"

#define TARGET             __attribute__((target("avx512f,avx2,fma")))
#define VECTOR             __m512
#define LANES              16
#define LOAD               _mm512_loadu_ps
#define STORE              _mm512_storeu_ps
#define SET1               _mm512_set1_ps
#define FMA                _mm512_fmadd_ps
#define ADD                _mm512_add_ps
#define MUL                _mm512_mul_ps
#define MIN                _mm512_min_ps
#define MAX                _mm512_max_ps
#define FIT(rows, vectors) ((rows) * (vectors) <= 24)
#define KEEP(x)            __asm__("" : "+v"(x))
#define NAME(x)            x##_avx512
#include "kernels/x86/planes_f32_template.h"

// 16 channels of four pixels: the channels come as quarters, straight into their places.
TARGET static inline __attribute__((always_inline)) void four_pixels(const float *const *rows,
                                                                     size_t at, __m512 *to) {
  __m512 r[4], t[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    r[i] = _mm512_castps128_ps512(_mm_loadu_ps(rows[i] + at));
    r[i] = _mm512_insertf32x4(r[i], _mm_loadu_ps(rows[i + 4] + at), 1);
    r[i] = _mm512_insertf32x4(r[i], _mm_loadu_ps(rows[i + 8] + at), 2);
    r[i] = _mm512_insertf32x4(r[i], _mm_loadu_ps(rows[i + 12] + at), 3);
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

TARGET static void store_avx512(spk_planes_tile from, int32_t pixels, int32_t channels,
                                const int32_t *to, void *output) {
  for (int32_t c = 0; c < channels; c += 16) {
    const int32_t part = channels - c < 16 ? channels - c : 16;
    const __mmask16 exist = (__mmask16)((1u << part) - 1);
    const float *rows[16];
    for (int32_t i = 0; i < 16; ++i)
      rows[i] = (const float *)from.at + (size_t)(c + (i < part ? i : 0)) * (size_t)from.stride;
    for (int32_t p = 0; p < pixels; p += 4) {
      __m512 r[4];
      four_pixels(rows, (size_t)p, r);
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i)
        if (to[p + i] >= 0) _mm512_mask_storeu_ps((float *)output + to[p + i] + c, exist, r[i]);
    }
  }
}

const spk_planes_kernels spk_planes_f32_avx512 = {
    .isa = "avx512",
    .channels = 1,
    .pack = spk_planar_f32_avx512_pack_pixels,
    .store = store_avx512,
    .conv2d = conv2d_avx512,
    .depthwise = depthwise_avx512,
    .pointwise = pointwise_avx512,
};
