// The layout of row_blocks_s8 (spk/formats.h) for the kernels that read it.
#ifndef SPK_FORMATS_ROW_BLOCKS_S8_H_
#define SPK_FORMATS_ROW_BLOCKS_S8_H_

#include "spk/formats.h"

// Where the parts of a blob lie, in bytes from its start.
typedef struct spk_row_blocks_s8_layout {
  size_t first, sum, weights, column, total;
} spk_row_blocks_s8_layout;

static inline spk_row_blocks_s8_layout spk_row_blocks_s8_layout_of(
    const spk_row_blocks_s8_header *header) {
  const size_t groups = (size_t)header->groups, height = (size_t)header->height;
  spk_row_blocks_s8_layout at;
  at.first = sizeof(spk_row_blocks_s8_header);
  at.sum = at.first + (groups + 1) * sizeof(uint32_t);
  at.weights = (at.sum + groups * height * sizeof(int32_t) + 63) & ~(size_t)63;
  at.column = at.weights + header->blocks * height * 4;
  at.total = at.column + header->blocks * sizeof(uint16_t);
  return at;
}

// The kernels' view of a blob.
typedef struct spk_row_blocks_s8_view {
  const uint32_t *first;
  const int32_t *sum;
  const int8_t *weights;
  const uint16_t *column;
} spk_row_blocks_s8_view;

static inline spk_row_blocks_s8_view spk_row_blocks_s8_view_of(const void *blob) {
  const uint8_t *base = blob;
  const spk_row_blocks_s8_layout at = spk_row_blocks_s8_layout_of(blob);
  return (spk_row_blocks_s8_view){
      .first = (const uint32_t *)(const void *)(base + at.first),
      .sum = (const int32_t *)(const void *)(base + at.sum),
      .weights = (const int8_t *)(base + at.weights),
      .column = (const uint16_t *)(const void *)(base + at.column),
  };
}

#endif  // SPK_FORMATS_ROW_BLOCKS_S8_H_
