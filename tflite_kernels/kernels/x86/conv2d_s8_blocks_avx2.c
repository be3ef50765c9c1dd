// int8 CONV_2D by blocks, 8 output pixels in a ymm register, AVX2 without VNNI.
//
// Inputs and weights are multiplied as int16, those of the even and those of the odd channels
// of a block apart, which is exact; vpmaddubsw is not, it saturates at 2 * 255 * 127. The
// weights are packed that wide.
#include <immintrin.h>

#include "formats/blocks4_s8.h"
#include "kernels/x86/kernels_x86.h"
#include "kernels/x86/planar_fours_s8.h"
#include "kernels/x86/requantize.h"

#define TARGET __attribute__((target("avx2,fma")))

typedef struct wide_weights {
  __m256i even, odd;
} wide_weights;

TARGET static inline wide_weights broadcast(const uint32_t *words) {
  return (wide_weights){_mm256_set1_epi32((int32_t)words[0]),
                        _mm256_set1_epi32((int32_t)words[1])};
}

TARGET static inline __m256i products(__m256i x, const wide_weights *weights) {
  const __m256i even = _mm256_and_si256(x, _mm256_set1_epi16(0xff));
  const __m256i odd = _mm256_srli_epi16(x, 8);
  return _mm256_add_epi32(_mm256_madd_epi16(even, weights->even),
                          _mm256_madd_epi16(odd, weights->odd));
}

// The addition as an instruction, so that the compiler cannot copy the sums around it, as
// gcc 12 does.
#define DOT(sum, x, weights) \
  __asm__("vpaddd %1, %0, %0" : "+x"(sum) : "x"(products(x, &(weights))))
#define WORDS     2
#define WEIGHTS   wide_weights
#define BROADCAST broadcast
#include "kernels/x86/conv2d_s8_blocks_ymm.h"

COMPUTE(1, 4)
COMPUTE(2, 2)
COMPUTE(4, 2)

static void compute1x4(const spk_args *args, const void *planes, int32_t pixels, int32_t begin,
                       int32_t end, void *tile) {
  compute1x4_ymm(args->packed, planes, pixels, begin, end, tile);
}

static void compute2x4(const spk_args *args, const void *planes, int32_t pixels, int32_t begin,
                       int32_t end, void *tile) {
  compute2x2_ymm(args->packed, planes, pixels, begin, end, tile);
}

static void compute4x4(const spk_args *args, const void *planes, int32_t pixels, int32_t begin,
                       int32_t end, void *tile) {
  compute4x2_ymm(args->packed, planes, pixels, begin, end, tile);
}

void spk_conv2d_s8_blocks1x4__avx2(const spk_args *args) {
  static const spk_planar_kernel kernel = {.tiles = {128, 96, 64, 32, 0},
                                           .pack = spk_planar_fours_s8_pack_pixels,
                                           .compute = compute1x4,
                                           .store = spk_planar_fours_s8_store};
  spk_planar_fours_s8_run(args, &kernel, WORDS);
}

void spk_conv2d_s8_blocks2x4__avx2(const spk_args *args) {
  static const spk_planar_kernel kernel = {.tiles = {128, 96, 64, 32, 16, 0},
                                           .pack = spk_planar_fours_s8_pack_pixels,
                                           .compute = compute2x4,
                                           .store = spk_planar_fours_s8_store};
  spk_planar_fours_s8_run(args, &kernel, WORDS);
}

void spk_conv2d_s8_blocks4x4__avx2(const spk_args *args) {
  static const spk_planar_kernel kernel = {.tiles = {128, 96, 64, 32, 16, 0},
                                           .pack = spk_planar_fours_s8_pack_pixels,
                                           .compute = compute4x4,
                                           .store = spk_planar_fours_s8_store};
  spk_planar_fours_s8_run(args, &kernel, WORDS);
}
