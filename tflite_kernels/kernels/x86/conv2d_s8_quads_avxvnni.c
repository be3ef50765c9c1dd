// Sparse int8 CONV_2D, output pixels in the lanes of ymm registers, AVX-VNNI.
#include <immintrin.h>
#include <string.h>

#include "formats/tuples_s8.h"
#include "kernels/x86/kernels_x86.h"
#include "kernels/x86/planar_fours_s8.h"
#include "kernels/x86/planar_s8.h"
#include "kernels/x86/requantize.h"

#define TARGET __attribute__((target("avx2,fma,avxvnni")))
#define DOT(sum, x, weights) \
  __asm__("%{vex%} vpdpbusd %2, %1, %0" : "+x"(sum) : "x"(x), "x"(weights))
#include "kernels/x86/conv2d_s8_quads_ymm.h"

static void store(const void *tile, int32_t pixels, int32_t channels, const int32_t *to,
                  void *output) {
  int32_t ordered[kSpkMaxTile];
  order_ymm(to, pixels, ordered);
  spk_planar_fours_s8_store(tile, pixels, channels, ordered, output);
}

void spk_conv2d_s8_quads__avxvnni(const spk_args *args) {
  static const spk_planar_kernel kernel = {.tiles = {64, 32, 0},
                                           .pack = spk_planar_s8_pack_pixels,
                                           .compute = compute_ymm,
                                           .store = store};
  spk_planar_s8_run_quads(args, &kernel);
}
