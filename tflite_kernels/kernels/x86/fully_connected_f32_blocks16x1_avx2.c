// Sparse float32 FULLY_CONNECTED: sixteen rows share their columns, two ymm registers a block.
#define HEIGHT 16
#define PARTS  2
#include "kernels/x86/fully_connected_f32_blocks_ymm.h"

void spk_fully_connected_f32_blocks16x1__avx2(const spk_args *args) { run_avx2(args); }
