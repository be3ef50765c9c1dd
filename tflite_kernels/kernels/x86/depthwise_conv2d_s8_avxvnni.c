// Dense int8 DEPTHWISE_CONV_2D, AVX-VNNI: vpdpbusd takes the inputs as x + 128.
#include "kernels/x86/depthwise_ends_s8.h"
#include "kernels/x86/depthwise_s8.h"
#include "kernels/x86/kernels_x86.h"

#define TARGET     __attribute__((target("avx2,fma,avxvnni")))
#define DOT        _mm256_dpbusd_avx_epi32
#define INPUT_BIAS 128
#define FLIP       0x80
#include "kernels/x86/depthwise_conv2d_s8_ymm.h"

void spk_depthwise_conv2d_s8_dense__avxvnni(const spk_args *args) { run_ymm(args); }
