// int8 operators on planes with ymm registers and AVX-VNNI.
#include "kernels/x86/conv2d_s8_blocks_avxvnni.h"
#include "kernels/x86/planes_s8_ymm.h"

#define DOTS  _mm256_dpbusd_avx_epi32
#define PAIRS _mm256_dpwssd_avx_epi32
#include "kernels/x86/planes_s8_quads.h"

#define MOST1 8
#define MOST2 4
#define MOST4 2
#include "kernels/x86/planes_s8_template.h"

const spk_planes_kernels spk_planes_s8_avxvnni = {
    .isa = "avxvnni",
    .channels = kSpkFour,
    .pack = spk_planar_fours_s8_pack_pixels,
    .store = spk_planes_s8_store_avx2,
    .conv2d = conv2d,
    .depthwise = depthwise,
    .depthwise2 = depthwise2,
    .add = add,
};
