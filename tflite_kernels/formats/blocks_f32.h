// The layout of blocks_f32 (spk/formats.h) for the kernels that read it.
#ifndef SPK_FORMATS_BLOCKS_F32_H_
#define SPK_FORMATS_BLOCKS_F32_H_

#include "spk/formats.h"

// The header of a matrix; `groups` is 0 when the arguments are not valid.
spk_blocks_f32_header spk_blocks_f32_describe(const float *dense, int32_t rows, int32_t cols,
                                              int32_t height);

// Where the parts of a blob lie, in bytes from its start.
typedef struct spk_blocks_f32_layout {
  size_t first, column, weights, total;
} spk_blocks_f32_layout;

static inline spk_blocks_f32_layout spk_blocks_f32_layout_of(
    const spk_blocks_f32_header *header) {
  const size_t blocks = header->blocks;
  spk_blocks_f32_layout at;
  at.first = sizeof(spk_blocks_f32_header);
  at.column = at.first + ((size_t)header->groups + 1) * sizeof(uint32_t);
  at.weights = (at.column + blocks * sizeof(uint32_t) + 63) & ~(size_t)63;
  at.total = at.weights + blocks * (size_t)header->height * sizeof(float);
  return at;
}

// The kernels' view of a blob.
typedef struct spk_blocks_f32_view {
  int32_t groups;
  const uint32_t *first, *column;
  const float *weights;
} spk_blocks_f32_view;

static inline spk_blocks_f32_view spk_blocks_f32_view_of(const void *blob) {
  const uint8_t *base = blob;
  const spk_blocks_f32_header *header = blob;
  const spk_blocks_f32_layout at = spk_blocks_f32_layout_of(header);
  return (spk_blocks_f32_view){
      .groups = header->groups,
      .first = (const uint32_t *)(const void *)(base + at.first),
      .column = (const uint32_t *)(const void *)(base + at.column),
      .weights = (const float *)(const void *)(base + at.weights),
  };
}

#endif  // SPK_FORMATS_BLOCKS_F32_H_
