// Sparse int8 FULLY_CONNECTED in 1x4 blocks by look-up, AVX-VNNI.
#include "kernels/x86/inputs_s8.h"
#include "kernels/x86/kernels_x86.h"
#include "kernels/x86/rows_s8.h"
#include "kernels/x86/windows_x86.h"

#define TARGET     __attribute__((target("avx2,avxvnni")))
#define DOT        _mm256_dpbusd_avx_epi32
#define INPUT_BIAS 128
#define FLIP       0x80
#include "kernels/x86/fully_connected_s8_quads_ymm.h"

void spk_fully_connected_s8_quads__avxvnni(const spk_args *args) { run_ymm(args); }
