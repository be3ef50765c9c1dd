// int8 CONV_2D by blocks, 8 output pixels in a ymm register, AVX2 without VNNI.
#include "kernels/x86/conv2d_s8_blocks_avx2.h"

#include "kernels/x86/kernels_x86.h"

COMPUTE(1, 4)
COMPUTE(1, 8)
COMPUTE(2, 4)
COMPUTE(4, 2)

static void compute1x4(const spk_args *args, const void *planes, int32_t pixels, int32_t begin,
                       int32_t end, void *tile) {
  if (pixels % 64 == 0)
    compute1x8_ymm(args->packed, planes, pixels, begin, end, tile);
  else
    compute1x4_ymm(args->packed, planes, pixels, begin, end, tile);
}

static void compute2x4(const spk_args *args, const void *planes, int32_t pixels, int32_t begin,
                       int32_t end, void *tile) {
  compute2x4_ymm(args->packed, planes, pixels, begin, end, tile);
}

static void compute4x4(const spk_args *args, const void *planes, int32_t pixels, int32_t begin,
                       int32_t end, void *tile) {
  compute4x2_ymm(args->packed, planes, pixels, begin, end, tile);
}

void spk_conv2d_s8_blocks1x4__avx2(const spk_args *args) {
  static const spk_planar_kernel kernel = {.tiles = {128, 64, 32, 0},
                                           .pack = spk_planar_fours_s8_pack_pixels,
                                           .compute = compute1x4,
                                           .store = spk_planar_fours_s8_store};
  spk_planar_fours_s8_run(args, &kernel);
}

void spk_conv2d_s8_blocks2x4__avx2(const spk_args *args) {
  static const spk_planar_kernel kernel = {.tiles = {128, 96, 64, 32, 0},
                                           .pack = spk_planar_fours_s8_pack_pixels,
                                           .compute = compute2x4,
                                           .store = spk_planar_fours_s8_store};
  spk_planar_fours_s8_run(args, &kernel);
}

void spk_conv2d_s8_blocks4x4__avx2(const spk_args *args) {
  static const spk_planar_kernel kernel = {.tiles = {128, 96, 64, 32, 16, 0},
                                           .pack = spk_planar_fours_s8_pack_pixels,
                                           .compute = compute4x4,
                                           .store = spk_planar_fours_s8_store};
  spk_planar_fours_s8_run(args, &kernel);
}
