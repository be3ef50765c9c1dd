// What the int8 FULLY_CONNECTED kernels with blocks of rows share.
#ifndef SPK_KERNELS_X86_ROW_BLOCKS_X86_H_
#define SPK_KERNELS_X86_ROW_BLOCKS_X86_H_

#include "formats/row_blocks_s8.h"
#include "spk/layer.h"

#define SPK_ROW_BLOCKS_FUNCTIONS(height)                                                     \
  size_t spk_row_blocks##height##_s8_pack_size(const spk_layer *layer, const void *weights); \
  spk_status spk_row_blocks##height##_s8_pack(const spk_layer *layer, const void *weights,   \
                                              void *packed, size_t bytes);                   \
  int32_t spk_row_blocks##height##_s8_units(const spk_layer *layer);
SPK_ROW_BLOCKS_FUNCTIONS(8)
SPK_ROW_BLOCKS_FUNCTIONS(16)
#undef SPK_ROW_BLOCKS_FUNCTIONS

// For the kernels without VNNI, which cannot take a weight of -128.
size_t spk_row_blocks8_s8_avx2_pack_size(const spk_layer *layer, const void *weights);

// Room for copies of eight images.
size_t spk_row_blocks_s8_scratch(const spk_layer *layer);

#endif  // SPK_KERNELS_X86_ROW_BLOCKS_X86_H_
