// Sparse float32 CONV_2D, output pixels in the lanes of zmm registers.
#include <math.h>
#include <string.h>

#include "formats/blocks_f32.h"
#include "kernels/x86/kernels_x86.h"
#include "kernels/x86/planar_f32.h"
#include "kernels/x86/vector_f32_avx512.h"

// A template, after what it needs.
#include "kernels/x86/conv2d_f32_blocks_template.h"

#define KERNEL(rows, ...)                                              \
  void spk_conv2d_f32_blocks##rows##x1__avx512(const spk_args *args) { \
    static const spk_planar_kernel kernel = {                          \
        .element = sizeof(float),                                      \
        .tiles = {__VA_ARGS__, 0},                                     \
        .granule = LANES,                                              \
        .most_channels = 32,                                           \
        .fetches_ahead = rows == 4,                                    \
        .pack = spk_planar_f32_avx512_pack_pixels,                     \
        .compute = compute##rows##_avx512,                             \
        .store = spk_planar_f32_avx512_store,                          \
        .live = spk_planar_f32_live,                                   \
    };                                                                 \
    spk_planar_run(args, &kernel);                                     \
  }
KERNEL(1, 128, 64, 48, 32, 16)
KERNEL(2, 128, 64, 48, 32, 16)
KERNEL(4, 96, 80, 64, 48, 32, 16)
