// Dense int8 3x3 DEPTHWISE_CONV_2D by columns: geometry and packed weights.
//
// The three inputs of a column of the window are neighbours in a 32-bit lane, the fourth byte
// meets a weight of zero; columns are made in registers, and those that the next output also
// sees stay there. A chunk is 64 channels of one output row. Channels beyond a multiple of 64,
// if they are 32 or fewer, make a narrow chunk: they fill half a vector, the other half is the
// output row below.
//
// Interleaving leaves channel 16 k + 4 g + i of a chunk in lane 4 k + i of vector g; packing
// sums to bytes takes this back.
//
// Packed weights: the ends (depthwise_s8.h) and int8 weights[chunks][3 columns][4
// vectors][16][4], 64 lanes of ends for each chunk.
#ifndef SPK_KERNELS_X86_DEPTHWISE_COLUMNS_S8_H_
#define SPK_KERNELS_X86_DEPTHWISE_COLUMNS_S8_H_

#include "kernels/x86/depthwise_s8.h"

enum {
  kSpkChunk = 64,
  kSpkNarrowChunk = 32,
  kSpkChunkWeights = 3 * 4 * kSpkChunk,
};

// Each chunk of each image is cut into bands of rows.
typedef struct spk_columns_shape {
  int32_t chunks, bands;
  int32_t band_rows;  // even, so that narrow chunks find their pairs
  size_t weights;     // where they start
} spk_columns_shape;

spk_columns_shape spk_columns_shape_of(const spk_layer *layer);

size_t spk_columns_s8_pack_size(const spk_layer *layer, const void *weights);
spk_status spk_columns_s8_pack(const spk_layer *layer, const void *weights, void *packed,
                               size_t bytes);
size_t spk_columns_s8_scratch(const spk_layer *layer);
int32_t spk_columns_s8_units(const spk_layer *layer);

#endif  // SPK_KERNELS_X86_DEPTHWISE_COLUMNS_S8_H_
