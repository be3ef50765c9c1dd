// Groups of sixteen rows for int8 FULLY_CONNECTED: row_blocks_s8, and all columns of them.
#ifndef SPK_KERNELS_AARCH64_ROW_BLOCKS_AARCH64_H_
#define SPK_KERNELS_AARCH64_ROW_BLOCKS_AARCH64_H_

#include "spk/layer.h"

size_t spk_blocks16x4_pack_size(const spk_layer *layer, const void *weights);
spk_status spk_blocks16x4_pack(const spk_layer *layer, const void *weights, void *packed,
                               size_t bytes);
// int32 sum[groups * 16], int8 weights[groups][cols, filled up to a multiple of 4][16][4].
size_t spk_dense16x4_pack_size(const spk_layer *layer, const void *weights);
spk_status spk_dense16x4_pack(const spk_layer *layer, const void *weights, void *packed,
                              size_t bytes);
// Of both: a unit is a group; scratch holds an input that does not end with four columns.
size_t spk_rows16_scratch(const spk_layer *layer);
int32_t spk_rows16_units(const spk_layer *layer);

// Columns, filled up to a multiple of four, and the inputs of image b with so many.
static inline int32_t spk_padded_cols(const spk_layer *layer) {
  return (layer->window.in_c + 3) & ~3;
}
const int8_t *spk_padded_input(const spk_args *args, int32_t b);

#endif  // SPK_KERNELS_AARCH64_ROW_BLOCKS_AARCH64_H_
