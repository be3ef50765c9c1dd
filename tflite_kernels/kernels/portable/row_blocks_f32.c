#include "kernels/portable/row_blocks_f32.h"

#include <string.h>

// Where the parts behind the blob of blocks_f32 lie, in bytes from its start.
typedef struct columns_layout {
  size_t start, group, weights, total;
} columns_layout;

static size_t round_up(size_t bytes) { return (bytes + 63) & ~(size_t)63; }

static columns_layout layout_of(const spk_blocks_f32_header *header) {
  const size_t blocks = header->blocks;
  columns_layout at;
  at.start = round_up(spk_blocks_f32_layout_of(header).total);
  at.group = at.start + ((size_t)header->cols + 1) * sizeof(uint32_t);
  at.weights = round_up(at.group + blocks * sizeof(uint32_t));
  at.total = at.weights + blocks * (size_t)header->height * sizeof(float);
  return at;
}

spk_row_blocks spk_row_blocks_of(const void *packed) {
  const columns_layout at = layout_of(packed);
  const uint8_t *base = packed;
  return (spk_row_blocks){
      .blocks = spk_blocks_f32_view_of(packed),
      .start = (const uint32_t *)(const void *)(base + at.start),
      .group = (const uint32_t *)(const void *)(base + at.group),
      .weights = (const float *)(const void *)(base + at.weights),
  };
}

static size_t pack_size(const spk_layer *layer, const void *weights, int32_t height) {
  const spk_blocks_f32_header header =
      spk_blocks_f32_describe(weights, layer->window.out_c, layer->window.in_c, height);
  return header.groups ? layout_of(&header).total : 0;
}

// Counts the blocks of every column, sums the counts up, and deals the blocks out.
static void write_columns(uint8_t *packed) {
  const spk_blocks_f32_header header = *(const spk_blocks_f32_header *)(const void *)packed;
  const spk_blocks_f32_view from = spk_blocks_f32_view_of(packed);
  const columns_layout at = layout_of(&header);
  uint32_t *start = (uint32_t *)(void *)(packed + at.start);
  uint32_t *group = (uint32_t *)(void *)(packed + at.group);
  float *weights = (float *)(void *)(packed + at.weights);
  const size_t height = (size_t)header.height;
  memset(start, 0, ((size_t)header.cols + 1) * sizeof(uint32_t));
  for (uint32_t b = 0; b < header.blocks; ++b) ++start[from.column[b] + 1];
  for (int32_t c = 0; c < header.cols; ++c) start[c + 1] += start[c];
  for (int32_t g = 0; g < header.groups; ++g) {
    for (uint32_t b = from.first[g]; b < from.first[g + 1]; ++b) {
      const uint32_t to = start[from.column[b]]++;
      group[to] = (uint32_t)g;
      memcpy(weights + to * height, from.weights + b * height, height * sizeof(float));
    }
  }
  memmove(start + 1, start, (size_t)header.cols * sizeof(uint32_t));  // each is the next now
  start[0] = 0;
}

static spk_status pack(const spk_layer *layer, const void *weights, void *packed, size_t bytes,
                       int32_t height) {
  const size_t needed = pack_size(layer, weights, height);
  if (needed == 0) return SPK_ERR_ARGUMENT;
  if (bytes < needed) return SPK_ERR_SPACE;
  const spk_status status = spk_blocks_f32_pack(weights, layer->window.out_c,
                                                layer->window.in_c, height, packed, bytes);
  if (status == SPK_OK) write_columns(packed);
  return status;
}

static size_t scratch(const spk_layer *layer, int32_t height) {
  const size_t groups = (size_t)(layer->window.out_c - 1) / (size_t)height + 1;
  return groups * (size_t)height * sizeof(float) +
         (size_t)layer->window.in_c * sizeof(uint32_t);
}

#define SPK_ROW_BLOCKS_FUNCTIONS(height)                                                   \
  size_t spk_row_blocks##height##_pack_size(const spk_layer *layer, const void *weights) { \
    return pack_size(layer, weights, height);                                              \
  }                                                                                        \
  spk_status spk_row_blocks##height##_pack(const spk_layer *layer, const void *weights,    \
                                           void *packed, size_t bytes) {                   \
    return pack(layer, weights, packed, bytes, height);                                    \
  }                                                                                        \
  size_t spk_row_blocks##height##_scratch(const spk_layer *layer) {                        \
    return scratch(layer, height);                                                         \
  }                                                                                        \
  int32_t spk_row_blocks##height##_units(const spk_layer *layer) {                         \
    return (layer->window.out_c - 1) / height + 1;                                         \
  }
SPK_ROW_BLOCKS_FUNCTIONS(8)
SPK_ROW_BLOCKS_FUNCTIONS(16)
