// int8 CONV_2D by blocks, 16 output pixels in a zmm register, AVX512-VNNI.
#include "kernels/x86/conv2d_s8_blocks_zmm.h"
#include "kernels/x86/kernels_x86.h"

COMPUTE(1, 1)
COMPUTE(1, 4)
COMPUTE(1, 8)
COMPUTE(2, 1)
COMPUTE(2, 2)
COMPUTE(2, 3)
COMPUTE(2, 4)
COMPUTE(2, 5)
COMPUTE(2, 6)
COMPUTE(4, 1)
COMPUTE(4, 2)
COMPUTE(4, 3)
COMPUTE(4, 4)
COMPUTE(4, 5)
COMPUTE(4, 6)

static void compute1x4(const spk_args *args, const void *planes, int32_t pixels, int32_t begin,
                       int32_t end, void *tile) {
  if (pixels == 128)
    compute1x8_zmm(args->packed, planes, pixels, begin, end, tile);
  else if (pixels == 64)
    compute1x4_zmm(args->packed, planes, pixels, begin, end, tile);
  else
    compute1x1_zmm(args->packed, planes, pixels, begin, end, tile);
}

static void compute2x4(const spk_args *args, const void *planes, int32_t pixels, int32_t begin,
                       int32_t end, void *tile) {
  if (pixels == 96)
    compute2x6_zmm(args->packed, planes, pixels, begin, end, tile);
  else if (pixels == 80)
    compute2x5_zmm(args->packed, planes, pixels, begin, end, tile);
  else if (pixels == 64)
    compute2x4_zmm(args->packed, planes, pixels, begin, end, tile);
  else if (pixels == 48)
    compute2x3_zmm(args->packed, planes, pixels, begin, end, tile);
  else if (pixels == 32)
    compute2x2_zmm(args->packed, planes, pixels, begin, end, tile);
  else
    compute2x1_zmm(args->packed, planes, pixels, begin, end, tile);
}

static void compute4x4(const spk_args *args, const void *planes, int32_t pixels, int32_t begin,
                       int32_t end, void *tile) {
  if (pixels == 96)
    compute4x6_zmm(args->packed, planes, pixels, begin, end, tile);
  else if (pixels == 80)
    compute4x5_zmm(args->packed, planes, pixels, begin, end, tile);
  else if (pixels == 64)
    compute4x4_zmm(args->packed, planes, pixels, begin, end, tile);
  else if (pixels == 48)
    compute4x3_zmm(args->packed, planes, pixels, begin, end, tile);
  else if (pixels == 32)
    compute4x2_zmm(args->packed, planes, pixels, begin, end, tile);
  else
    compute4x1_zmm(args->packed, planes, pixels, begin, end, tile);
}

void spk_conv2d_s8_blocks1x4__avx512vnni(const spk_args *args) {
  static const spk_planar_kernel kernel = {.tiles = {128, 64, 16, 0},
                                           .pack = spk_planar_fours_s8_pack_avx512,
                                           .compute = compute1x4,
                                           .store = spk_planar_fours_s8_store_avx512};
  spk_planar_fours_s8_run(args, &kernel);
}

void spk_conv2d_s8_blocks2x4__avx512vnni(const spk_args *args) {
  static const spk_planar_kernel kernel = {.tiles = {96, 80, 64, 48, 32, 16, 0},
                                           .even = 1,
                                           .pack = spk_planar_fours_s8_pack_avx512,
                                           .compute = compute2x4,
                                           .store = spk_planar_fours_s8_store_avx512};
  spk_planar_fours_s8_run(args, &kernel);
}

void spk_conv2d_s8_blocks4x4__avx512vnni(const spk_args *args) {
  static const spk_planar_kernel kernel = {.tiles = {96, 80, 64, 48, 32, 16, 0},
                                           .even = 1,
                                           .pack = spk_planar_fours_s8_pack_avx512,
                                           .compute = compute4x4,
                                           .store = spk_planar_fours_s8_store_avx512};
  spk_planar_fours_s8_run(args, &kernel);
}
