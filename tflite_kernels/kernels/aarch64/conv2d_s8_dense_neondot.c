// Dense int8 CONV_2D, with dot products.
#include <arm_neon.h>

#include "kernels/aarch64/kernels_aarch64.h"

#define TARGET                          SPK_TARGET_NEONDOT
#define PIXELS                          8
#define SUM                             int32x4_t
#define START(first)                    (first)
#define DOT_LANE(sum, x, weights, lane) vdotq_laneq_s32(sum, weights, x, lane)
#define TOTAL(sum)                      (sum)
#define NAME(x)                         x##_neondot
#include "kernels/aarch64/conv2d_s8_dense_dot.h"

void spk_conv2d_s8_dense__neondot(const spk_args *args) { run_neondot(args); }
