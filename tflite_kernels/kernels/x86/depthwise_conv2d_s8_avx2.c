// Dense int8 DEPTHWISE_CONV_2D, AVX2 without VNNI.
#include "kernels/x86/depthwise_ends_s8.h"
#include "kernels/x86/depthwise_s8.h"
#include "kernels/x86/dot_s8_avx2.h"
#include "kernels/x86/kernels_x86.h"

#define TARGET     __attribute__((target("avx2,fma")))
#define DOT        spk_dot_s8_avx2
#define INPUT_BIAS 0
#define FLIP       0
#include "kernels/x86/depthwise_conv2d_s8_ymm.h"

void spk_depthwise_conv2d_s8_dense__avx2(const spk_args *args) { run_ymm(args); }
