// Sparse int8 FULLY_CONNECTED by look-up, any 64-bit Arm.
#include "kernels/aarch64/dot_neon.h"

#define TARGET
#define SUM     spk_sum_neon
#define ZERO    spk_zero_neon
#define DOT     spk_dot_neon
#define TOTAL   spk_total_neon
#define NAME(x) x##_neon
#include "kernels/aarch64/fully_connected_s8_windows_template.h"

void spk_fully_connected_s8_windows__neon(const spk_args *args) { run_neon(args); }
