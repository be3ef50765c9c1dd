// Sparse int8 FULLY_CONNECTED: sixteen rows share their columns, any 64-bit Arm.
#include "kernels/aarch64/dot_neon.h"

#define TARGET
#define SUM      spk_sum_neon
#define ZERO     spk_zero_neon
#define DOT_LANE SPK_DOT_LANE_NEON
#define TOTAL    spk_total_neon
#define NAME(x)  x##_neon
#include "kernels/aarch64/fully_connected_s8_blocks16x4_template.h"

void spk_fully_connected_s8_blocks16x4__neon(const spk_args *args) { run_neon(args); }
