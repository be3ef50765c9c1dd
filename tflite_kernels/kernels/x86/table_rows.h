// Kernels for x86-64: rows of kernel_table.c.
SPK_KERNEL(spk_conv2d_f32_blocks1x1__avx2, SPK_CONV_2D, SPK_F32, "blocks_f32", avx2,
           spk_planar_f32_rows1_pack_size, spk_planar_f32_rows1_pack, spk_planar_f32_scratch,
           spk_planar_f32_units, "packed offsets fit 32 bits")
SPK_KERNEL(spk_conv2d_f32_blocks1x1__avx512, SPK_CONV_2D, SPK_F32, "blocks_f32", avx512,
           spk_planar_f32_rows1_pack_size, spk_planar_f32_rows1_pack, spk_planar_f32_scratch,
           spk_planar_f32_units, "packed offsets fit 32 bits")
SPK_KERNEL(spk_conv2d_f32_blocks2x1__avx2, SPK_CONV_2D, SPK_F32, "blocks_f32", avx2,
           spk_planar_f32_rows2_pack_size, spk_planar_f32_rows2_pack, spk_planar_f32_scratch,
           spk_planar_f32_units, "packed offsets fit 32 bits")
SPK_KERNEL(spk_conv2d_f32_blocks2x1__avx512, SPK_CONV_2D, SPK_F32, "blocks_f32", avx512,
           spk_planar_f32_rows2_pack_size, spk_planar_f32_rows2_pack, spk_planar_f32_scratch,
           spk_planar_f32_units, "packed offsets fit 32 bits")
SPK_KERNEL(spk_conv2d_f32_blocks4x1__avx2, SPK_CONV_2D, SPK_F32, "blocks_f32", avx2,
           spk_planar_f32_rows4_pack_size, spk_planar_f32_rows4_pack, spk_planar_f32_scratch,
           spk_planar_f32_units, "packed offsets fit 32 bits")
SPK_KERNEL(spk_conv2d_f32_blocks4x1__avx512, SPK_CONV_2D, SPK_F32, "blocks_f32", avx512,
           spk_planar_f32_rows4_pack_size, spk_planar_f32_rows4_pack, spk_planar_f32_scratch,
           spk_planar_f32_units, "packed offsets fit 32 bits")
SPK_KERNEL(spk_conv2d_f32_lanes1x1__avx2, SPK_CONV_2D, SPK_F32, "blocks_f32", avx2,
           spk_lanes_f32_rows1_avx2_pack_size, spk_lanes_f32_rows1_avx2_pack,
           spk_lanes_f32_rows1_avx2_scratch, spk_lanes_f32_rows1_avx2_units,
           "a window larger than 1x1, planes of at most 16 MB")
SPK_KERNEL(spk_conv2d_f32_lanes1x1__avx512, SPK_CONV_2D, SPK_F32, "blocks_f32", avx512,
           spk_lanes_f32_rows1_avx512_pack_size, spk_lanes_f32_rows1_avx512_pack,
           spk_lanes_f32_rows1_avx512_scratch, spk_lanes_f32_rows1_avx512_units,
           "a window larger than 1x1, planes of at most 16 MB")
SPK_KERNEL(spk_conv2d_f32_lanes2x1__avx2, SPK_CONV_2D, SPK_F32, "blocks_f32", avx2,
           spk_lanes_f32_rows2_avx2_pack_size, spk_lanes_f32_rows2_avx2_pack,
           spk_lanes_f32_rows2_avx2_scratch, spk_lanes_f32_rows2_avx2_units,
           "a window larger than 1x1, planes of at most 16 MB")
SPK_KERNEL(spk_conv2d_f32_lanes2x1__avx512, SPK_CONV_2D, SPK_F32, "blocks_f32", avx512,
           spk_lanes_f32_rows2_avx512_pack_size, spk_lanes_f32_rows2_avx512_pack,
           spk_lanes_f32_rows2_avx512_scratch, spk_lanes_f32_rows2_avx512_units,
           "a window larger than 1x1, planes of at most 16 MB")
SPK_KERNEL(spk_conv2d_s8_pairs__avx2, SPK_CONV_2D, SPK_S8, "tuples_s8", avx2,
           spk_planar_s8_pairs_pack_size, spk_planar_s8_pairs_pack, spk_planar_s8_scratch,
           spk_planar_s8_units, "packed offsets fit 32 bits")
SPK_KERNEL(spk_conv2d_s8_quads__avxvnni, SPK_CONV_2D, SPK_S8, "tuples_s8", avxvnni,
           spk_planar_s8_quads_pack_size, spk_planar_s8_quads_pack, spk_planar_s8_quads_scratch,
           spk_planar_s8_units, "packed offsets fit 32 bits")
SPK_KERNEL(spk_conv2d_s8_quads__avx512vnni, SPK_CONV_2D, SPK_S8, "tuples_s8", avx512vnni,
           spk_planar_s8_quads_pack_size, spk_planar_s8_quads_pack, spk_planar_s8_quads_scratch,
           spk_planar_s8_units, "packed offsets fit 32 bits")
SPK_KERNEL(
    spk_conv2d_s8_blocks1x4__avx2, SPK_CONV_2D, SPK_S8, "blocks4_s8", avx2,
    spk_planar_s8_split1x4_pack_size, spk_planar_s8_split1x4_pack, spk_planar_fours_s8_scratch,
    spk_planar_fours_s8_units,
    "packed offsets fit 32 bits; input channels a multiple of 4, or a window of several rows "
    "without horizontal dilation")
SPK_KERNEL(
    spk_conv2d_s8_blocks2x4__avx2, SPK_CONV_2D, SPK_S8, "blocks4_s8", avx2,
    spk_planar_s8_split2x4_pack_size, spk_planar_s8_split2x4_pack, spk_planar_fours_s8_scratch,
    spk_planar_fours_s8_units,
    "packed offsets fit 32 bits; input channels a multiple of 4, or a window of several rows "
    "without horizontal dilation")
SPK_KERNEL(
    spk_conv2d_s8_blocks4x4__avx2, SPK_CONV_2D, SPK_S8, "blocks4_s8", avx2,
    spk_planar_s8_split4x4_pack_size, spk_planar_s8_split4x4_pack, spk_planar_fours_s8_scratch,
    spk_planar_fours_s8_units,
    "packed offsets fit 32 bits; input channels a multiple of 4, or a window of several rows "
    "without horizontal dilation")
SPK_KERNEL(
    spk_conv2d_s8_blocks1x4__avxvnni, SPK_CONV_2D, SPK_S8, "blocks4_s8", avxvnni,
    spk_planar_s8_blocks1x4_pack_size, spk_planar_s8_blocks1x4_pack,
    spk_planar_fours_s8_scratch, spk_planar_fours_s8_units,
    "packed offsets fit 32 bits; input channels a multiple of 4, or a window of several rows "
    "without horizontal dilation")
SPK_KERNEL(
    spk_conv2d_s8_blocks2x4__avxvnni, SPK_CONV_2D, SPK_S8, "blocks4_s8", avxvnni,
    spk_planar_s8_blocks2x4_pack_size, spk_planar_s8_blocks2x4_pack,
    spk_planar_fours_s8_scratch, spk_planar_fours_s8_units,
    "packed offsets fit 32 bits; input channels a multiple of 4, or a window of several rows "
    "without horizontal dilation")
SPK_KERNEL(
    spk_conv2d_s8_blocks4x4__avxvnni, SPK_CONV_2D, SPK_S8, "blocks4_s8", avxvnni,
    spk_planar_s8_blocks4x4_pack_size, spk_planar_s8_blocks4x4_pack,
    spk_planar_fours_s8_scratch, spk_planar_fours_s8_units,
    "packed offsets fit 32 bits; input channels a multiple of 4, or a window of several rows "
    "without horizontal dilation")
SPK_KERNEL(
    spk_conv2d_s8_blocks1x4__avx512vnni, SPK_CONV_2D, SPK_S8, "blocks4_s8", avx512vnni,
    spk_planar_s8_blocks1x4_pack_size, spk_planar_s8_blocks1x4_pack,
    spk_planar_fours_s8_scratch, spk_planar_fours_s8_units,
    "packed offsets fit 32 bits; input channels a multiple of 4, or a window of several rows "
    "without horizontal dilation")
SPK_KERNEL(
    spk_conv2d_s8_blocks2x4__avx512vnni, SPK_CONV_2D, SPK_S8, "blocks4_s8", avx512vnni,
    spk_planar_s8_blocks2x4_pack_size, spk_planar_s8_blocks2x4_pack,
    spk_planar_fours_s8_scratch, spk_planar_fours_s8_units,
    "packed offsets fit 32 bits; input channels a multiple of 4, or a window of several rows "
    "without horizontal dilation")
SPK_KERNEL(
    spk_conv2d_s8_blocks4x4__avx512vnni, SPK_CONV_2D, SPK_S8, "blocks4_s8", avx512vnni,
    spk_planar_s8_blocks4x4_pack_size, spk_planar_s8_blocks4x4_pack,
    spk_planar_fours_s8_scratch, spk_planar_fours_s8_units,
    "packed offsets fit 32 bits; input channels a multiple of 4, or a window of several rows "
    "without horizontal dilation")
SPK_KERNEL(spk_fully_connected_f32_blocks8x1__avx2, SPK_FULLY_CONNECTED, SPK_F32, "blocks_f32",
           avx2, spk_row_blocks8_pack_size, spk_row_blocks8_pack, spk_row_blocks8_scratch,
           spk_row_blocks8_units, "none")
SPK_KERNEL(spk_fully_connected_f32_blocks16x1__avx2, SPK_FULLY_CONNECTED, SPK_F32, "blocks_f32",
           avx2, spk_row_blocks16_pack_size, spk_row_blocks16_pack, spk_row_blocks16_scratch,
           spk_row_blocks16_units, "none")
SPK_KERNEL(spk_fully_connected_f32_blocks16x1__avx512, SPK_FULLY_CONNECTED, SPK_F32,
           "blocks_f32", avx512, spk_row_blocks16_pack_size, spk_row_blocks16_pack,
           spk_row_blocks16_scratch, spk_row_blocks16_units, "none")
SPK_KERNEL(spk_fully_connected_f32_windows__avx2, SPK_FULLY_CONNECTED, SPK_F32, "windows", avx2,
           spk_windows_f32_avx2_pack_size, spk_windows_f32_avx2_pack,
           spk_windows_f32_avx2_scratch, spk_windows_f32_avx2_units, "at most 65536 inputs")
SPK_KERNEL(spk_fully_connected_f32_windows__avx512, SPK_FULLY_CONNECTED, SPK_F32, "windows",
           avx512, spk_windows_f32_avx512_pack_size, spk_windows_f32_avx512_pack,
           spk_windows_f32_avx512_scratch, spk_windows_f32_avx512_units, "at most 65536 inputs")
SPK_KERNEL(spk_fully_connected_s8_blocks8x4__avx2, SPK_FULLY_CONNECTED, SPK_S8, "row_blocks_s8",
           avx2, spk_row_blocks8_s8_avx2_pack_size, spk_row_blocks8_s8_pack,
           spk_row_blocks_s8_scratch, spk_row_blocks8_s8_units,
           "at most 65536 inputs, no weight is -128")
SPK_KERNEL(spk_fully_connected_s8_blocks8x4__avxvnni, SPK_FULLY_CONNECTED, SPK_S8,
           "row_blocks_s8", avxvnni, spk_row_blocks8_s8_pack_size, spk_row_blocks8_s8_pack,
           spk_row_blocks_s8_scratch, spk_row_blocks8_s8_units, "at most 65536 inputs")
SPK_KERNEL(spk_fully_connected_s8_blocks16x4__avx512vnni, SPK_FULLY_CONNECTED, SPK_S8,
           "row_blocks_s8", avx512vnni, spk_row_blocks16_s8_pack_size, spk_row_blocks16_s8_pack,
           spk_row_blocks_s8_scratch, spk_row_blocks16_s8_units, "at most 65536 inputs")
SPK_KERNEL(spk_fully_connected_s8_quads__avx2, SPK_FULLY_CONNECTED, SPK_S8, "windows", avx2,
           spk_windows_quads_avx2_pack_size, spk_windows_quads_avx2_pack,
           spk_windows_copies_scratch, spk_windows_quads_avx2_units,
           "inputs are a multiple of 4, at most 65536, no weight is -128")
SPK_KERNEL(spk_fully_connected_s8_quads__avxvnni, SPK_FULLY_CONNECTED, SPK_S8, "windows",
           avxvnni, spk_windows_quads_avxvnni_pack_size, spk_windows_quads_avxvnni_pack,
           spk_windows_copies_scratch, spk_windows_quads_avxvnni_units,
           "inputs are a multiple of 4, at most 65536")
SPK_KERNEL(spk_fully_connected_s8_quads__avx512vnni, SPK_FULLY_CONNECTED, SPK_S8, "windows",
           avx512vnni, spk_windows_quads_avx512_pack_size, spk_windows_quads_avx512_pack,
           spk_windows_copies_scratch, spk_windows_quads_avx512_units,
           "inputs are a multiple of 4, at most 65536")
SPK_KERNEL(spk_fully_connected_s8_windows__avx2, SPK_FULLY_CONNECTED, SPK_S8, "windows", avx2,
           spk_windows_s8_avx2_pack_size, spk_windows_s8_avx2_pack, spk_windows_s8_avx2_scratch,
           spk_windows_s8_avx2_units, "at most 65536 inputs, no weight is -128")
SPK_KERNEL(spk_fully_connected_s8_windows__avxvnni, SPK_FULLY_CONNECTED, SPK_S8, "windows",
           avxvnni, spk_windows_s8_avxvnni_pack_size, spk_windows_s8_avxvnni_pack,
           spk_windows_s8_avxvnni_scratch, spk_windows_s8_avxvnni_units, "at most 65536 inputs")
SPK_KERNEL(spk_fully_connected_s8_windows__avx512vbmi, SPK_FULLY_CONNECTED, SPK_S8, "windows",
           avx512vbmi, spk_windows_s8_avx512_pack_size, spk_windows_s8_avx512_pack,
           spk_windows_copies_scratch, spk_windows_s8_avx512_units, "at most 65536 inputs")
SPK_KERNEL(spk_depthwise_conv2d_s8_dense__avx2, SPK_DEPTHWISE_CONV_2D, SPK_S8, "depthwise_s8",
           avx2, spk_depthwise_avx2_pack_size, spk_depthwise_avx2_pack,
           spk_depthwise_avx2_scratch, spk_depthwise_avx2_units,
           "horizontal stride 1 or 2, no horizontal dilation, windows up to 64x64, a few rows "
           "fit 4 MB, no weight is -128")
SPK_KERNEL(spk_depthwise_conv2d_s8_dense__avxvnni, SPK_DEPTHWISE_CONV_2D, SPK_S8,
           "depthwise_s8", avxvnni, spk_depthwise_avxvnni_pack_size, spk_depthwise_avxvnni_pack,
           spk_depthwise_avxvnni_scratch, spk_depthwise_avxvnni_units,
           "horizontal stride 1 or 2, no horizontal dilation, windows up to 64x64, a few rows "
           "fit 4 MB")
SPK_KERNEL(spk_depthwise_conv2d_s8_dense__avx512vbmi, SPK_DEPTHWISE_CONV_2D, SPK_S8,
           "depthwise_s8", avx512vbmi, spk_depthwise_avx512_pack_size,
           spk_depthwise_avx512_pack, spk_depthwise_avx512_scratch, spk_depthwise_avx512_units,
           "horizontal stride 1 or 2, no horizontal dilation, windows up to 64x64, a few rows "
           "fit 4 MB")
SPK_KERNEL(spk_depthwise_conv2d_s8_columns__avx2, SPK_DEPTHWISE_CONV_2D, SPK_S8,
           "depthwise_pairs_s8", avx2, spk_pairs_s8_pack_size, spk_pairs_s8_pack,
           spk_pairs_s8_scratch, spk_pairs_s8_units,
           "3x3 windows, horizontal stride 1 or 2, no horizontal dilation, one output for each "
           "input channel")
SPK_KERNEL(spk_depthwise_conv2d_s8_columns__avx512vnni, SPK_DEPTHWISE_CONV_2D, SPK_S8,
           "depthwise_columns_s8", avx512vnni, spk_columns_s8_pack_size, spk_columns_s8_pack,
           spk_columns_s8_scratch, spk_columns_s8_units,
           "3x3 windows, horizontal stride 1 or 2, no horizontal dilation, one output for each "
           "input channel")
