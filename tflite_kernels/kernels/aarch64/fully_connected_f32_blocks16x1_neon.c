// Sparse float32 FULLY_CONNECTED: sixteen rows share their columns, four vectors a block.
#define HEIGHT 16
#define PARTS  4
#include "kernels/aarch64/fully_connected_f32_blocks_neon.h"

void spk_fully_connected_f32_blocks16x1__neon(const spk_args *args) { run_neon(args); }
