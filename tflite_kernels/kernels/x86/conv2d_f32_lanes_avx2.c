// Sparse float32 CONV_2D, tiles of the output in the lanes of ymm registers.
#include <string.h>

#include "formats/blocks_f32.h"
#include "kernels/x86/kernels_x86.h"
#include "kernels/x86/lanes_f32.h"
#include "kernels/x86/planar_f32.h"
#include "kernels/x86/vector_f32_avx2.h"

// A template, after what it needs.
#include "kernels/x86/conv2d_f32_lanes_template.h"

#define KERNEL(rows)                                                \
  void spk_conv2d_f32_lanes##rows##x1__avx2(const spk_args *args) { \
    static const spk_lanes_kernel kernel = {                        \
        .height = rows,                                             \
        .lanes = LANES,                                             \
        .pack = spk_planar_f32_pack_pixels,                         \
        .compute = compute##rows##_avx2,                            \
        .store = spk_planar_f32_store,                              \
    };                                                              \
    spk_lanes_f32_run(args, &kernel);                               \
  }
KERNEL(1)
KERNEL(2)
