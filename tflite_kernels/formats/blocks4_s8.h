// The layout of blocks4_s8 (spk/formats.h) for the kernels that read it.
#ifndef SPK_FORMATS_BLOCKS4_S8_H_
#define SPK_FORMATS_BLOCKS4_S8_H_

#include "spk/formats.h"

// The header of a matrix without blocks.
spk_blocks4_s8_header spk_blocks4_s8_header_of(int32_t rows, int32_t cols, int32_t run,
                                               int32_t height);

// Blocks in a row of the matrix.
static inline int32_t spk_blocks4_s8_across(const spk_blocks4_s8_header *header) {
  return header->cols / header->run * ((header->run - 1) / 4 + 1);
}

// Words of a block: its place, and four weights for each row.
static inline size_t spk_blocks4_s8_words(int32_t height) { return 1 + (size_t)height; }

static inline const uint32_t *spk_blocks4_s8_first(const void *blob) {
  return (const uint32_t *)(const void *)((const spk_blocks4_s8_header *)blob + 1);
}

// Sums of the weights of each row; rows are filled up to a multiple of four.
static inline const int32_t *spk_blocks4_s8_sum(const void *blob) {
  const spk_blocks4_s8_header *header = blob;
  return (const int32_t *)(spk_blocks4_s8_first(blob) + header->groups + 1);
}

static inline const uint32_t *spk_blocks4_s8_blocks(const void *blob) {
  const spk_blocks4_s8_header *header = blob;
  return (const uint32_t *)spk_blocks4_s8_sum(blob) + (size_t)header->groups * header->height;
}

static inline size_t spk_blocks4_s8_bytes(const spk_blocks4_s8_header *header) {
  const size_t groups = (size_t)header->groups, height = (size_t)header->height;
  return sizeof(*header) + 4 * (groups + 1 + groups * height +
                                (size_t)header->blocks * spk_blocks4_s8_words(header->height));
}

#endif  // SPK_FORMATS_BLOCKS4_S8_H_
