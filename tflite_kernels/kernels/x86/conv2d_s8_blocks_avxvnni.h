// What the templates of int8 blocks need for ymm registers with AVX-VNNI.
#ifndef SPK_KERNELS_X86_CONV2D_S8_BLOCKS_AVXVNNI_H_
#define SPK_KERNELS_X86_CONV2D_S8_BLOCKS_AVXVNNI_H_

#include <immintrin.h>

#include "formats/blocks4_s8.h"
#include "kernels/x86/planar_fours_s8.h"
#include "kernels/x86/requantize.h"

#define TARGET __attribute__((target("avx2,fma,avxvnni")))

// As an instruction, so that the compiler cannot copy the sums around it, as gcc 12 does.
#define DOT(sum, x, weights) \
  __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(x), "x"(weights))
#include "kernels/x86/conv2d_s8_blocks_ymm.h"

#endif  // SPK_KERNELS_X86_CONV2D_S8_BLOCKS_AVXVNNI_H_
