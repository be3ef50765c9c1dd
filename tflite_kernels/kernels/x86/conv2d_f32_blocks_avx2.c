// Sparse float32 CONV_2D, output pixels in the lanes of ymm registers.
#include <immintrin.h>
#include <string.h>

#include "formats/blocks_f32.h"
#include "kernels/x86/kernels_x86.h"
#include "kernels/x86/planar_f32.h"

#define TARGET    __attribute__((target("avx2,fma")))
#define VECTOR    __m256
#define LANES     8
#define LOAD      _mm256_loadu_ps
#define STORE     _mm256_store_ps
#define SET1      _mm256_set1_ps
#define FMA       _mm256_fmadd_ps
#define ADD       _mm256_add_ps
#define MIN       _mm256_min_ps
#define MAX       _mm256_max_ps
#define MOST_SUMS 8
#define KEEP(x)   __asm__("" : "+x"(x))
#define NAME(x)   x##_avx2
#include "kernels/x86/conv2d_f32_blocks_template.h"

#define KERNEL(rows, ...)                                            \
  void spk_conv2d_f32_blocks##rows##x1__avx2(const spk_args *args) { \
    static const spk_planar_kernel kernel = {                        \
        .element = sizeof(float),                                    \
        .tiles = {__VA_ARGS__, 0},                                   \
        .pack = spk_planar_f32_pack_pixels,                          \
        .compute = compute##rows##_avx2,                             \
        .store = spk_planar_f32_store,                               \
        .live = spk_planar_f32_live,                                 \
    };                                                               \
    spk_planar_run(args, &kernel);                                   \
  }
KERNEL(1, 64, 32, 16, 8)
KERNEL(2, 32, 16, 8)
KERNEL(4, 16, 8)
