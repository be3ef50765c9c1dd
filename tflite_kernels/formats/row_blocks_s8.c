// row_blocks_s8: neighbouring rows that share four columns (see spk/formats.h).
#include "formats/row_blocks_s8.h"

#include <string.h>

enum { kMaxHeight = 16, kMaxColumns = 65536 };

// The rows of one group.
typedef struct row_group {
  const int8_t *first;  // row
  int32_t count, cols;
} row_group;

static row_group group_of(const int8_t *dense, const spk_row_blocks_s8_header *header,
                          int32_t group) {
  const int32_t row = group * header->height, rest = header->rows - row;
  return (row_group){.first = dense + (size_t)row * header->cols,
                     .count = rest < header->height ? rest : header->height,
                     .cols = header->cols};
}

// Columns of the block from `column` on that exist.
static size_t width_at(int32_t cols, int32_t column) {
  return (size_t)(cols - column < 4 ? cols - column : 4);
}

static uint32_t quad_of(const row_group *group, int32_t row, int32_t column) {
  uint32_t quad = 0;
  memcpy(&quad, group->first + (size_t)row * group->cols + column,
         width_at(group->cols, column));
  return quad;
}

static int has_block(const row_group *group, int32_t column) {
  for (int32_t r = 0; r < group->count; ++r)
    if (quad_of(group, r, column) != 0) return 1;
  return 0;
}

static int arguments_are_valid(const void *data, int32_t rows, int32_t cols, int32_t height) {
  return data && rows > 0 && cols > 0 && cols <= kMaxColumns && cols <= INT32_MAX / 8 / rows &&
         height > 0 && height <= kMaxHeight;
}

static spk_row_blocks_s8_header header_of(int32_t rows, int32_t cols, int32_t height) {
  return (spk_row_blocks_s8_header){
      .height = height, .rows = rows, .cols = cols, .groups = (rows - 1) / height + 1};
}

static spk_row_blocks_s8_header describe(const int8_t *dense, int32_t rows, int32_t cols,
                                         int32_t height) {
  spk_row_blocks_s8_header header = header_of(rows, cols, height);
  for (int32_t g = 0; g < header.groups; ++g) {
    const row_group group = group_of(dense, &header, g);
    for (int32_t c = 0; c < cols; c += 4) header.blocks += (uint32_t)has_block(&group, c);
  }
  return header;
}

size_t spk_row_blocks_s8_pack_size(const int8_t *dense, int32_t rows, int32_t cols,
                                   int32_t height) {
  if (!arguments_are_valid(dense, rows, cols, height)) return 0;
  const spk_row_blocks_s8_header header = describe(dense, rows, cols, height);
  return spk_row_blocks_s8_layout_of(&header).total;
}

spk_status spk_row_blocks_s8_pack(const int8_t *dense, int32_t rows, int32_t cols,
                                  int32_t height, void *blob, size_t bytes) {
  if (!blob || !arguments_are_valid(dense, rows, cols, height)) return SPK_ERR_ARGUMENT;
  const spk_row_blocks_s8_header header = describe(dense, rows, cols, height);
  const spk_row_blocks_s8_layout at = spk_row_blocks_s8_layout_of(&header);
  if (bytes < at.total) return SPK_ERR_SPACE;
  memset(blob, 0, at.total);
  memcpy(blob, &header, sizeof(header));
  uint8_t *base = blob;
  uint32_t *first = (uint32_t *)(void *)(base + at.first);
  uint32_t *sum = (uint32_t *)(void *)(base + at.sum);  // modulo 2^32, like the accumulators
  uint16_t *column = (uint16_t *)(void *)(base + at.column);
  uint32_t block = 0;
  for (int32_t g = 0; g < header.groups; ++g) {
    const row_group group = group_of(dense, &header, g);
    first[g] = block;
    for (int32_t c = 0; c < cols; c += 4) {
      if (!has_block(&group, c)) continue;
      for (int32_t r = 0; r < group.count; ++r) {
        int8_t *quad = (int8_t *)base + at.weights + ((size_t)block * height + r) * 4;
        memcpy(quad, group.first + (size_t)r * cols + c, width_at(cols, c));
        for (int i = 0; i < 4; ++i) sum[g * height + r] += (uint32_t)(int32_t)quad[i];
      }
      column[block++] = (uint16_t)c;
    }
  }
  first[header.groups] = block;
  return SPK_OK;
}

// The header is compared with what it must be, so that no later size comes from the blob
// except the number of blocks, which the length of the blob confirms.
static int read_header(const void *blob, size_t bytes, int32_t rows, int32_t cols,
                       int32_t height, spk_row_blocks_s8_header *header) {
  if (bytes < sizeof(*header)) return 0;
  memcpy(header, blob, sizeof(*header));
  spk_row_blocks_s8_header expected = header_of(rows, cols, height);
  expected.blocks = header->blocks;
  if (memcmp(header, &expected, sizeof(expected)) != 0) return 0;
  if (header->blocks > (uint32_t)header->groups * (uint32_t)((cols + 3) / 4)) return 0;
  return spk_row_blocks_s8_layout_of(header).total == bytes;
}

// Does this row of a block have weights only in rows and columns that exist?
static int quad_is_valid(const spk_row_blocks_s8_header *header, const int8_t *quad,
                         int32_t row, int32_t column) {
  const int32_t width = row < header->rows ? (int32_t)width_at(header->cols, column) : 0;
  for (int32_t i = width; i < 4; ++i)
    if (quad[i] != 0) return 0;
  return 1;
}

// Columns must ascend, so that no weight is given twice.
static int group_is_valid(const spk_row_blocks_s8_header *header,
                          const spk_row_blocks_s8_view *view, int32_t group) {
  uint32_t sum[kMaxHeight] = {0};
  for (uint32_t b = view->first[group]; b < view->first[group + 1]; ++b) {
    const int32_t column = view->column[b];
    if (column >= header->cols || column % 4 != 0) return 0;
    if (b > view->first[group] && column <= view->column[b - 1]) return 0;
    for (int32_t r = 0; r < header->height; ++r) {
      const int8_t *quad = view->weights + ((size_t)b * header->height + r) * 4;
      if (!quad_is_valid(header, quad, group * header->height + r, column)) return 0;
      for (int i = 0; i < 4; ++i) sum[r] += (uint32_t)(int32_t)quad[i];
    }
  }
  const size_t bytes = (size_t)header->height * sizeof(sum[0]);
  return memcmp(sum, view->sum + (size_t)group * header->height, bytes) == 0;
}

spk_status spk_row_blocks_s8_check(const void *blob, size_t bytes, int32_t rows, int32_t cols,
                                   int32_t height) {
  if (!arguments_are_valid(blob, rows, cols, height)) return SPK_ERR_ARGUMENT;
  spk_row_blocks_s8_header header;
  if (!read_header(blob, bytes, rows, cols, height, &header)) return SPK_ERR_FORMAT;
  const spk_row_blocks_s8_view view = spk_row_blocks_s8_view_of(blob);
  if (view.first[0] != 0 || view.first[header.groups] != header.blocks) return SPK_ERR_FORMAT;
  for (int32_t g = 0; g < header.groups; ++g) {
    if (view.first[g + 1] < view.first[g] || view.first[g + 1] > header.blocks)
      return SPK_ERR_FORMAT;
    if (!group_is_valid(&header, &view, g)) return SPK_ERR_FORMAT;
  }
  return SPK_OK;
}

spk_status spk_row_blocks_s8_unpack(const void *blob, size_t bytes, int32_t rows, int32_t cols,
                                    int32_t height, int8_t *dense) {
  const spk_status status = spk_row_blocks_s8_check(blob, bytes, rows, cols, height);
  if (status != SPK_OK) return status;
  if (!dense) return SPK_ERR_ARGUMENT;
  memset(dense, 0, (size_t)rows * cols);
  const spk_row_blocks_s8_view view = spk_row_blocks_s8_view_of(blob);
  const int32_t groups = (rows - 1) / height + 1;
  for (int32_t g = 0; g < groups; ++g)
    for (uint32_t b = view.first[g]; b < view.first[g + 1]; ++b)
      for (int32_t r = g * height; r < rows && r < (g + 1) * height; ++r)
        memcpy(dense + (size_t)r * cols + view.column[b],
               view.weights + ((size_t)b * height + (r - g * height)) * 4,
               width_at(cols, view.column[b]));
  return SPK_OK;
}
