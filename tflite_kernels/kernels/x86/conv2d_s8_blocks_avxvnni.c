// int8 CONV_2D by blocks, 8 output pixels in a ymm register, AVX-VNNI.
#include <immintrin.h>

#include "formats/blocks4_s8.h"
#include "kernels/x86/kernels_x86.h"
#include "kernels/x86/planar_fours_s8.h"
#include "kernels/x86/requantize.h"

#define TARGET __attribute__((target("avx2,fma,avxvnni")))

// One broadcast, not one for each vector.
TARGET static inline __m256i broadcast(const uint32_t *words) {
  __m256i weights = _mm256_set1_epi32((int32_t)words[0]);
  __asm__("" : "+x"(weights));
  return weights;
}

// As an instruction, so that the compiler cannot copy the sums around it, as gcc 12 does.
#define DOT(sum, x, weights) \
  __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(x), "x"(weights))
#define WORDS     1
#define WEIGHTS   __m256i
#define BROADCAST broadcast
#include "kernels/x86/conv2d_s8_blocks_ymm.h"

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

void spk_conv2d_s8_blocks1x4__avxvnni(const spk_args *args) {
  static const spk_planar_kernel kernel = {.tiles = {128, 64, 32, 0},
                                           .pack = spk_planar_fours_s8_pack_pixels,
                                           .compute = compute1x4,
                                           .store = spk_planar_fours_s8_store};
  spk_planar_fours_s8_run(args, &kernel, WORDS);
}

void spk_conv2d_s8_blocks2x4__avxvnni(const spk_args *args) {
  static const spk_planar_kernel kernel = {.tiles = {128, 96, 64, 32, 0},
                                           .pack = spk_planar_fours_s8_pack_pixels,
                                           .compute = compute2x4,
                                           .store = spk_planar_fours_s8_store};
  spk_planar_fours_s8_run(args, &kernel, WORDS);
}

void spk_conv2d_s8_blocks4x4__avxvnni(const spk_args *args) {
  static const spk_planar_kernel kernel = {.tiles = {128, 96, 64, 32, 16, 0},
                                           .pack = spk_planar_fours_s8_pack_pixels,
                                           .compute = compute4x4,
                                           .store = spk_planar_fours_s8_store};
  spk_planar_fours_s8_run(args, &kernel, WORDS);
}
