// Sparse float32 FULLY_CONNECTED: eight rows share their columns, two vectors a block.
#define HEIGHT 8
#define PARTS  2
#include "kernels/aarch64/fully_connected_f32_blocks_neon.h"

void spk_fully_connected_f32_blocks8x1__neon(const spk_args *args) { run_neon(args); }
