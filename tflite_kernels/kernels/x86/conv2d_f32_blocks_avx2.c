// Sparse float32 CONV_2D, output pixels in the lanes of ymm registers.
#include <math.h>
#include <string.h>

#include "formats/blocks_f32.h"
#include "kernels/x86/kernels_x86.h"
#include "kernels/x86/planar_f32.h"
#include "kernels/x86/vector_f32_avx2.h"

// A template, after what it needs.
#include "kernels/x86/conv2d_f32_blocks_template.h"

#define KERNEL(rows, ...)                                            \
  void spk_conv2d_f32_blocks##rows##x1__avx2(const spk_args *args) { \
    static const spk_planar_kernel kernel = {                        \
        .element = sizeof(float),                                    \
        .tiles = {__VA_ARGS__, 0},                                   \
        .granule = LANES,                                            \
        .most_channels = 64,                                         \
        .pack = spk_planar_f32_pack_pixels,                          \
        .compute = compute##rows##_avx2,                             \
        .store = spk_planar_f32_store,                               \
        .live = spk_planar_f32_live,                                 \
    };                                                               \
    spk_planar_run(args, &kernel);                                   \
  }
KERNEL(1, 64, 32, 16, 8)
KERNEL(2, 32, 16, 8)
KERNEL(4, 24, 16, 8)
