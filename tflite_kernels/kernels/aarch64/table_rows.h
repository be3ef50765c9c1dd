// Kernels for 64-bit Arm: rows of kernel_table.c.
SPK_KERNEL(spk_conv2d_f32_dense__neon, SPK_CONV_2D, SPK_F32, "dense", neon,
           spk_dense8_f32_pack_size, spk_dense8_f32_pack, spk_dense_conv_scratch,
           spk_dense_conv_units, "none")
SPK_KERNEL(spk_conv2d_f32_blocks1x1__neon, SPK_CONV_2D, SPK_F32, "blocks_f32", neon,
           spk_planar_f32_neon_rows1_pack_size, spk_planar_f32_neon_rows1_pack,
           spk_planar_f32_neon_scratch, spk_planar_f32_neon_units, "packed offsets fit 32 bits")
SPK_KERNEL(spk_conv2d_f32_blocks2x1__neon, SPK_CONV_2D, SPK_F32, "blocks_f32", neon,
           spk_planar_f32_neon_rows2_pack_size, spk_planar_f32_neon_rows2_pack,
           spk_planar_f32_neon_scratch, spk_planar_f32_neon_units, "packed offsets fit 32 bits")
SPK_KERNEL(spk_conv2d_f32_blocks4x1__neon, SPK_CONV_2D, SPK_F32, "blocks_f32", neon,
           spk_planar_f32_neon_rows4_pack_size, spk_planar_f32_neon_rows4_pack,
           spk_planar_f32_neon_scratch, spk_planar_f32_neon_units, "packed offsets fit 32 bits")
SPK_KERNEL(spk_conv2d_s8_dense__neon, SPK_CONV_2D, SPK_S8, "dense", neon,
           spk_dense8x4_s8_pack_size, spk_dense8x4_s8_pack, spk_dense_conv_scratch,
           spk_dense_conv_units, "none")
SPK_KERNEL(spk_conv2d_s8_dense__neondot, SPK_CONV_2D, SPK_S8, "dense", neondot,
           spk_dense8x4_s8_pack_size, spk_dense8x4_s8_pack, spk_dense_conv_scratch,
           spk_dense_conv_units, "none")
SPK_KERNEL(spk_conv2d_s8_dense__neoni8mm, SPK_CONV_2D, SPK_S8, "dense", neoni8mm,
           spk_dense8x8_s8_pack_size, spk_dense8x8_s8_pack, spk_dense_conv_scratch,
           spk_dense_conv_units, "none")
SPK_KERNEL(spk_conv2d_s8_pairs__neon, SPK_CONV_2D, SPK_S8, "tuples_s8", neon,
           spk_planar_s8_neon_pairs_pack_size, spk_planar_s8_neon_pairs_pack,
           spk_planar_s8_neon_scratch, spk_planar_s8_neon_units,
           "packed offsets fit 32 bits, no weight is -128")
SPK_KERNEL(spk_conv2d_s8_quads__neondot, SPK_CONV_2D, SPK_S8, "tuples_s8", neondot,
           spk_planar_s8_neon_quads_pack_size, spk_planar_s8_neon_quads_pack,
           spk_planar_s8_neon_scratch, spk_planar_s8_neon_units, "packed offsets fit 32 bits")
SPK_KERNEL(spk_conv2d_s8_blocks1x4__neondot, SPK_CONV_2D, SPK_S8, "blocks4_s8", neondot,
           spk_planar_s8_neon_blocks1x4_pack_size, spk_planar_s8_neon_blocks1x4_pack,
           spk_planar_s8_neon_blocks1x4_scratch, spk_planar_s8_neon_blocks1x4_units,
           "input channels come in fours, packed offsets fit 32 bits")
SPK_KERNEL(spk_fully_connected_f32_dense__neon, SPK_FULLY_CONNECTED, SPK_F32, "dense", neon,
           spk_dense8_f32_pack_size, spk_dense8_f32_pack, spk_no_scratch, spk_dense8_units,
           "none")
SPK_KERNEL(spk_fully_connected_f32_blocks8x1__neon, SPK_FULLY_CONNECTED, SPK_F32, "blocks_f32",
           neon, spk_row_blocks8_pack_size, spk_row_blocks8_pack, spk_row_blocks8_scratch,
           spk_row_blocks8_units, "none")
SPK_KERNEL(spk_fully_connected_f32_blocks16x1__neon, SPK_FULLY_CONNECTED, SPK_F32, "blocks_f32",
           neon, spk_row_blocks16_pack_size, spk_row_blocks16_pack, spk_row_blocks16_scratch,
           spk_row_blocks16_units, "none")
SPK_KERNEL(spk_fully_connected_f32_windows__neon, SPK_FULLY_CONNECTED, SPK_F32, "windows", neon,
           spk_windows_f32_neon_pack_size, spk_windows_f32_neon_pack,
           spk_windows_f32_neon_scratch, spk_windows_f32_neon_units, "at most 65536 inputs")
SPK_KERNEL(spk_fully_connected_s8_dense__neon, SPK_FULLY_CONNECTED, SPK_S8, "dense", neon,
           spk_dense16x4_pack_size, spk_dense16x4_pack, spk_rows16_scratch, spk_rows16_units,
           "none")
SPK_KERNEL(spk_fully_connected_s8_blocks16x4__neon, SPK_FULLY_CONNECTED, SPK_S8,
           "row_blocks_s8", neon, spk_blocks16x4_pack_size, spk_blocks16x4_pack,
           spk_rows16_scratch, spk_rows16_units, "at most 65536 inputs")
SPK_KERNEL(spk_fully_connected_s8_windows__neon, SPK_FULLY_CONNECTED, SPK_S8, "windows", neon,
           spk_windows_s8_neon_pack_size, spk_windows_s8_neon_pack, spk_windows_s8_neon_scratch,
           spk_windows_s8_neon_units, "at most 65536 inputs")
SPK_KERNEL(spk_fully_connected_s8_dense__neondot, SPK_FULLY_CONNECTED, SPK_S8, "dense", neondot,
           spk_dense16x4_pack_size, spk_dense16x4_pack, spk_rows16_scratch, spk_rows16_units,
           "none")
SPK_KERNEL(spk_fully_connected_s8_blocks16x4__neondot, SPK_FULLY_CONNECTED, SPK_S8,
           "row_blocks_s8", neondot, spk_blocks16x4_pack_size, spk_blocks16x4_pack,
           spk_rows16_scratch, spk_rows16_units, "at most 65536 inputs")
SPK_KERNEL(spk_fully_connected_s8_windows__neondot, SPK_FULLY_CONNECTED, SPK_S8, "windows",
           neondot, spk_windows_s8_neon_pack_size, spk_windows_s8_neon_pack,
           spk_windows_s8_neon_scratch, spk_windows_s8_neon_units, "at most 65536 inputs")
