// Sparse float32 CONV_2D, output pixels in the lanes of zmm registers.
#include <immintrin.h>
#include <string.h>

#include "formats/blocks_f32.h"
#include "kernels/x86/kernels_x86.h"
#include "kernels/x86/planar_f32.h"

#define TARGET    __attribute__((target("avx512f,avx2,fma")))
#define VECTOR    __m512
#define LANES     16
#define LOAD      _mm512_loadu_ps
#define STORE     _mm512_store_ps
#define SET1      _mm512_set1_ps
#define FMA       _mm512_fmadd_ps
#define ADD       _mm512_add_ps
#define MIN       _mm512_min_ps
#define MAX       _mm512_max_ps
#define MOST_SUMS 24
#define KEEP(x)   __asm__("" : "+v"(x))
#define NAME(x)   x##_avx512
#include "kernels/x86/conv2d_f32_blocks_template.h"

#define KERNEL(rows, ...)                                              \
  void spk_conv2d_f32_blocks##rows##x1__avx512(const spk_args *args) { \
    static const spk_planar_kernel kernel = {                          \
        .element = sizeof(float),                                      \
        .tiles = {__VA_ARGS__, 0},                                     \
        .pack = spk_planar_f32_avx512_pack_pixels,                     \
        .compute = compute##rows##_avx512,                             \
        .store = spk_planar_f32_avx512_store,                          \
        .live = spk_planar_f32_live,                                   \
    };                                                                 \
    spk_planar_run(args, &kernel);                                     \
  }
KERNEL(1, 128, 64, 32, 16)
KERNEL(2, 128, 64, 32, 16)
KERNEL(4, 96, 64, 48, 32, 16)
