// Dense int8 CONV_2D, any 64-bit Arm.
#include "kernels/aarch64/dot_neon.h"
#include "kernels/aarch64/kernels_aarch64.h"

#define TARGET
#define PIXELS   4
#define SUM      spk_sum_neon
#define START    spk_start_neon
#define DOT_LANE SPK_DOT_LANE_NEON
#define TOTAL    spk_total_neon
#define NAME(x)  x##_neon
#include "kernels/aarch64/conv2d_s8_dense_dot.h"

void spk_conv2d_s8_dense__neon(const spk_args *args) { run_neon(args); }
