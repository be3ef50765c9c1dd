// What the templates of int8 blocks need for ymm registers, AVX2 without VNNI: of blocks
// whose weights vpmaddubsw can multiply (split_blocks4_s8.h).
#ifndef SPK_KERNELS_X86_CONV2D_S8_BLOCKS_AVX2_H_
#define SPK_KERNELS_X86_CONV2D_S8_BLOCKS_AVX2_H_

#include <immintrin.h>

#include "formats/blocks4_s8.h"
#include "kernels/x86/planar_fours_s8.h"
#include "kernels/x86/requantize.h"

#define TARGET __attribute__((target("avx2,fma")))

TARGET static inline __m256i products(__m256i x, __m256i weights) {
  return _mm256_madd_epi16(_mm256_maddubs_epi16(x, weights), _mm256_set1_epi16(1));
}

// The addition as an instruction, so that the compiler cannot copy the sums around it, as
// gcc 12 does.
#define DOT(sum, x, weights) \
  __asm__("vpaddd %1, %0, %0" : "+x"(sum) : "x"(products(x, weights)))
#include "kernels/x86/conv2d_s8_blocks_ymm.h"

#endif  // SPK_KERNELS_X86_CONV2D_S8_BLOCKS_AVX2_H_
