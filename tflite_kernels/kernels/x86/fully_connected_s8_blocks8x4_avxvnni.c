// Sparse int8 FULLY_CONNECTED: eight rows share four columns, AVX-VNNI.
#include "kernels/x86/inputs_s8.h"
#include "kernels/x86/kernels_x86.h"
#include "kernels/x86/row_blocks_x86.h"
#include "kernels/x86/rows_s8.h"

#define TARGET     __attribute__((target("avx2,avxvnni")))
#define DOT        _mm256_dpbusd_avx_epi32
#define INPUT_BIAS 128
#define FLIP       0x80
#include "kernels/x86/fully_connected_s8_blocks_ymm.h"

void spk_fully_connected_s8_blocks8x4__avxvnni(const spk_args *args) { run_ymm(args); }
