// Sparse float32 FULLY_CONNECTED: eight rows share their columns, one ymm register a block.
#define HEIGHT 8
#define PARTS  1
#include "kernels/x86/fully_connected_f32_blocks_ymm.h"

void spk_fully_connected_f32_blocks8x1__avx2(const spk_args *args) { run_avx2(args); }
