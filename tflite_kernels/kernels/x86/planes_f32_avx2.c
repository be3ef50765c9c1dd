// Operators on planes with ymm registers.
#include <immintrin.h>

#include "formats/blocks_f32.h"
#include "kernels/x86/planar_f32.h"
#include "kernels/x86/planes_f32.h"

#define TARGET             __attribute__((target("avx2,fma")))
#define VECTOR             __m256
#define LANES              8
#define LOAD               _mm256_loadu_ps
#define STORE              _mm256_storeu_ps
#define SET1               _mm256_set1_ps
#define FMA                _mm256_fmadd_ps
#define ADD                _mm256_add_ps
#define MUL                _mm256_mul_ps
#define MIN                _mm256_min_ps
#define MAX                _mm256_max_ps
#define FIT(rows, vectors) ((rows) * (vectors) <= 8)
#define KEEP(x)            __asm__("" : "+x"(x))
#define NAME(x)            x##_avx2
#include "kernels/x86/planes_f32_template.h"

// Four channels of four pixels at a time.
TARGET static void store_avx2(spk_planes_tile from, int32_t pixels, int32_t channels,
                              const int32_t *to, void *output) {
  int32_t c = 0;
  for (; c + 4 <= channels; c += 4) {
    const float *row = (const float *)from.at + (size_t)c * (size_t)from.stride;
    for (int32_t p = 0; p < pixels; p += 4) {
      __m128 r[4];
      for (int i = 0; i < 4; ++i)
        r[i] = _mm_loadu_ps(row + (size_t)i * (size_t)from.stride + p);
      _MM_TRANSPOSE4_PS(r[0], r[1], r[2], r[3]);
      for (int i = 0; i < 4; ++i)
        if (to[p + i] >= 0) _mm_storeu_ps((float *)output + to[p + i] + c, r[i]);
    }
  }
  for (; c < channels; ++c) {
    const float *row = (const float *)from.at + (size_t)c * (size_t)from.stride;
    for (int32_t p = 0; p < pixels; ++p)
      if (to[p] >= 0) ((float *)output)[to[p] + c] = row[p];
  }
}

const spk_planes_kernels spk_planes_f32_avx2 = {
    .isa = "avx2",
    .channels = 1,
    .pack = spk_planar_f32_pack_pixels,
    .store = store_avx2,
    .conv2d = conv2d_avx2,
    .depthwise = depthwise_avx2,
    .pointwise = pointwise_avx2,
};
