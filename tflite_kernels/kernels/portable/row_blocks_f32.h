// FULLY_CONNECTED weights as blocks_f32, twice: group by group, and column by column.
//
// A kernel goes through the groups, whose sums stay in registers. When few inputs are not zero,
// after a ReLU for instance, it goes through the columns of those instead: the sums are in
// memory then, but all other blocks are left out.
#ifndef SPK_KERNELS_ROW_BLOCKS_F32_H_
#define SPK_KERNELS_ROW_BLOCKS_F32_H_

#include "formats/blocks_f32.h"
#include "spk/layer.h"

typedef struct spk_row_blocks {
  spk_blocks_f32_view blocks;
  const uint32_t *start;  // (cols + 1,): blocks of column c are start[c] .. start[c + 1] of
  const uint32_t *group;  // (blocks,): where a block belongs, and
  const float *weights;   // (blocks, height): the copy in the order of columns
} spk_row_blocks;

spk_row_blocks spk_row_blocks_of(const void *packed);

// The part of scratch behind the sums.
static inline uint32_t *spk_row_blocks_live(const spk_layer *layer, void *scratch,
                                            int32_t height) {
  const size_t groups = (size_t)(layer->window.out_c - 1) / (size_t)height + 1;
  return (uint32_t *)scratch + groups * (size_t)height;
}

// A block costs more when its sums are in memory, and the columns have to be listed first:
// every kernel knows the percentage of live inputs below which this pays.
static inline int spk_are_few_live(int32_t live, int32_t cols, int32_t percent) {
  return (int64_t)live * 100 < (int64_t)cols * percent;
}

// One unit of work is one group of rows. Scratch: a sum for each row, then a
// number for each column.
#define SPK_ROW_BLOCKS_FUNCTIONS(height)                                                  \
  size_t spk_row_blocks##height##_pack_size(const spk_layer *layer, const void *weights); \
  spk_status spk_row_blocks##height##_pack(const spk_layer *layer, const void *weights,   \
                                           void *packed, size_t bytes);                   \
  size_t spk_row_blocks##height##_scratch(const spk_layer *layer);                        \
  int32_t spk_row_blocks##height##_units(const spk_layer *layer);
SPK_ROW_BLOCKS_FUNCTIONS(8)
SPK_ROW_BLOCKS_FUNCTIONS(16)
#undef SPK_ROW_BLOCKS_FUNCTIONS

#endif  // SPK_KERNELS_ROW_BLOCKS_F32_H_
