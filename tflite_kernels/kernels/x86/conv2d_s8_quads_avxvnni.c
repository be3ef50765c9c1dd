// Sparse int8 CONV_2D, output pixels in the lanes of ymm registers, AVX-VNNI.
#include <immintrin.h>

#include "formats/tuples_s8.h"
#include "kernels/x86/kernels_x86.h"
#include "kernels/x86/planar_s8.h"
#include "kernels/x86/requantize.h"

#define TARGET __attribute__((target("avx2,avxvnni")))
#define DOT    _mm256_dpbusd_avx_epi32
#include "kernels/x86/conv2d_s8_quads_ymm.h"

void spk_conv2d_s8_quads__avxvnni(const spk_args *args) {
  static const spk_planar_kernel kernel = {.tiles = {64, 32, 0}, .compute = compute_ymm};
  spk_planar_s8_run(args, &kernel);
}
