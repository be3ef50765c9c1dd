// Sparse int8 FULLY_CONNECTED in 1x4 blocks by look-up, AVX2 without VNNI.
#include "kernels/x86/dot_s8_avx2.h"
#include "kernels/x86/inputs_s8.h"
#include "kernels/x86/kernels_x86.h"
#include "kernels/x86/rows_s8.h"
#include "kernels/x86/windows_x86.h"

#define TARGET     __attribute__((target("avx2")))
#define DOT        spk_dot_s8_avx2
#define INPUT_BIAS 0
#define FLIP       0
#include "kernels/x86/fully_connected_s8_quads_ymm.h"

void spk_fully_connected_s8_quads__avx2(const spk_args *args) { run_ymm(args); }
