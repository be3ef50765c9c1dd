// blocks_f32: neighbouring rows that share their columns (see spk/formats.h).
#include "formats/blocks_f32.h"

#include <string.h>

enum { kMaxHeight = 16 };

// The rows of one group.
typedef struct row_group {
  const float *first;  // row
  int32_t count, cols;
} row_group;

static row_group group_of(const float *dense, const spk_blocks_f32_header *header,
                          int32_t group) {
  const int32_t row = group * header->height, rest = header->rows - row;
  return (row_group){.first = dense + (size_t)row * header->cols,
                     .count = rest < header->height ? rest : header->height,
                     .cols = header->cols};
}

static int has_block(const row_group *group, int32_t column) {
  for (int32_t r = 0; r < group->count; ++r)
    if (group->first[(size_t)r * group->cols + column] != 0.0f) return 1;
  return 0;
}

static int arguments_are_valid(const void *data, int32_t rows, int32_t cols, int32_t height) {
  return data && rows > 0 && cols > 0 && cols <= INT32_MAX / 8 / rows && height > 0 &&
         height <= kMaxHeight;
}

static spk_blocks_f32_header header_of(int32_t rows, int32_t cols, int32_t height) {
  return (spk_blocks_f32_header){
      .height = height, .rows = rows, .cols = cols, .groups = (rows - 1) / height + 1};
}

spk_blocks_f32_header spk_blocks_f32_describe(const float *dense, int32_t rows, int32_t cols,
                                              int32_t height) {
  if (!arguments_are_valid(dense, rows, cols, height)) return (spk_blocks_f32_header){0};
  spk_blocks_f32_header header = header_of(rows, cols, height);
  for (int32_t g = 0; g < header.groups; ++g) {
    const row_group group = group_of(dense, &header, g);
    for (int32_t c = 0; c < cols; ++c) header.blocks += (uint32_t)has_block(&group, c);
  }
  return header;
}

size_t spk_blocks_f32_pack_size(const float *dense, int32_t rows, int32_t cols,
                                int32_t height) {
  const spk_blocks_f32_header header = spk_blocks_f32_describe(dense, rows, cols, height);
  return header.groups ? spk_blocks_f32_layout_of(&header).total : 0;
}

spk_status spk_blocks_f32_pack(const float *dense, int32_t rows, int32_t cols, int32_t height,
                               void *blob, size_t bytes) {
  const spk_blocks_f32_header header = spk_blocks_f32_describe(dense, rows, cols, height);
  if (!blob || header.groups == 0) return SPK_ERR_ARGUMENT;
  const spk_blocks_f32_layout at = spk_blocks_f32_layout_of(&header);
  if (bytes < at.total) return SPK_ERR_SPACE;
  memset(blob, 0, at.total);
  memcpy(blob, &header, sizeof(header));
  uint32_t *first = (uint32_t *)(void *)((uint8_t *)blob + at.first);
  uint32_t *column = (uint32_t *)(void *)((uint8_t *)blob + at.column);
  float *weights = (float *)(void *)((uint8_t *)blob + at.weights);
  uint32_t block = 0;
  for (int32_t g = 0; g < header.groups; ++g) {
    const row_group group = group_of(dense, &header, g);
    first[g] = block;
    for (int32_t c = 0; c < cols; ++c) {
      if (!has_block(&group, c)) continue;
      for (int32_t r = 0; r < group.count; ++r)
        weights[(size_t)block * height + r] = group.first[(size_t)r * cols + c];
      column[block++] = (uint32_t)c;
    }
  }
  first[header.groups] = block;
  return SPK_OK;
}

// The header is compared with what it must be, so that no later size comes from the blob
// except the number of blocks, which the length of the blob confirms.
static int read_header(const void *blob, size_t bytes, int32_t rows, int32_t cols,
                       int32_t height, spk_blocks_f32_header *header) {
  if (bytes < sizeof(*header)) return 0;
  memcpy(header, blob, sizeof(*header));
  spk_blocks_f32_header expected = header_of(rows, cols, height);
  expected.blocks = header->blocks;
  if (memcmp(header, &expected, sizeof(expected)) != 0) return 0;
  if (header->blocks > (uint32_t)header->groups * (uint32_t)cols) return 0;
  return spk_blocks_f32_layout_of(header).total == bytes;
}

// Columns must ascend, so that no weight is given twice; rows that do not exist have none.
static int group_is_valid(const spk_blocks_f32_header *header, const spk_blocks_f32_view *view,
                          int32_t group) {
  const int32_t rows = header->rows - group * header->height;
  for (uint32_t b = view->first[group]; b < view->first[group + 1]; ++b) {
    if (view->column[b] >= (uint32_t)header->cols) return 0;
    if (b > view->first[group] && view->column[b] <= view->column[b - 1]) return 0;
    for (int32_t r = rows; r < header->height; ++r)
      if (view->weights[(size_t)b * header->height + r] != 0.0f) return 0;
  }
  return 1;
}

spk_status spk_blocks_f32_check(const void *blob, size_t bytes, int32_t rows, int32_t cols,
                                int32_t height) {
  if (!arguments_are_valid(blob, rows, cols, height)) return SPK_ERR_ARGUMENT;
  spk_blocks_f32_header header;
  if (!read_header(blob, bytes, rows, cols, height, &header)) return SPK_ERR_FORMAT;
  const spk_blocks_f32_view view = spk_blocks_f32_view_of(blob);
  if (view.first[0] != 0 || view.first[header.groups] != header.blocks) return SPK_ERR_FORMAT;
  for (int32_t g = 0; g < header.groups; ++g) {
    if (view.first[g + 1] < view.first[g] || view.first[g + 1] > header.blocks)
      return SPK_ERR_FORMAT;
    if (!group_is_valid(&header, &view, g)) return SPK_ERR_FORMAT;
  }
  return SPK_OK;
}

spk_status spk_blocks_f32_unpack(const void *blob, size_t bytes, int32_t rows, int32_t cols,
                                 int32_t height, float *dense) {
  const spk_status status = spk_blocks_f32_check(blob, bytes, rows, cols, height);
  if (status != SPK_OK) return status;
  if (!dense) return SPK_ERR_ARGUMENT;
  memset(dense, 0, (size_t)rows * cols * sizeof(float));
  const spk_blocks_f32_view view = spk_blocks_f32_view_of(blob);
  for (int32_t g = 0; g < view.groups; ++g)
    for (uint32_t b = view.first[g]; b < view.first[g + 1]; ++b)
      for (int32_t r = g * height; r < rows && r < (g + 1) * height; ++r)
        dense[(size_t)r * cols + view.column[b]] =
            view.weights[(size_t)b * height + (r - g * height)];
  return SPK_OK;
}
