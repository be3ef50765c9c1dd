// blocks4_s8: blocks of neighbouring rows by four columns (see spk/formats.h).
#include "formats/blocks4_s8.h"

#include <string.h>

enum { kRowUnit = 4 };

static int arguments_are_valid(const void *data, int32_t rows, int32_t cols, int32_t run,
                               int32_t height) {
  return data && rows > 0 && run > 0 && cols > 0 && cols <= INT32_MAX / 8 / rows &&
         cols % run == 0 && (height == 1 || height == 2 || height == 4);
}

spk_blocks4_s8_header spk_blocks4_s8_header_of(int32_t rows, int32_t cols, int32_t run,
                                               int32_t height) {
  const int32_t padded = (rows + kRowUnit - 1) / kRowUnit * kRowUnit;
  return (spk_blocks4_s8_header){
      .height = height, .rows = rows, .cols = cols, .run = run, .groups = padded / height};
}

static int32_t min_i32(int32_t a, int32_t b) { return a < b ? a : b; }

// The columns of a block.
typedef struct columns {
  int32_t first, width, within;  // of the run
} columns;

static columns columns_of(const spk_blocks4_s8_header *header, int32_t block) {
  const int32_t of_run = (header->run - 1) / 4 + 1, within = 4 * (block % of_run);
  return (columns){block / of_run * header->run + within, min_i32(4, header->run - within),
                   within};
}

static columns next_columns(const spk_blocks4_s8_header *header, columns c) {
  const int32_t within = c.within + c.width < header->run ? c.within + 4 : 0;
  return (columns){c.first + c.width, min_i32(4, header->run - within), within};
}

// Copies the block to weights[height][4]; returns whether one of them is not zero.
static int read_block(const int8_t *dense, const spk_blocks4_s8_header *header, int32_t group,
                      columns c, int8_t *weights) {
  const int32_t first = group * header->height;
  uint32_t row[4] = {0}, any = 0;
  for (int32_t r = 0; r < header->height && first + r < header->rows; ++r) {
    const int8_t *from = dense + (size_t)(first + r) * header->cols + c.first;
    if (c.width == 4)
      memcpy(&row[r], from, 4);
    else
      memcpy(&row[r], from, (size_t)c.width);
    any |= row[r];
  }
  memcpy(weights, row, 4 * (size_t)header->height);
  return any != 0;
}

static spk_blocks4_s8_header describe(const int8_t *dense, int32_t rows, int32_t cols,
                                      int32_t run, int32_t height) {
  if (!arguments_are_valid(dense, rows, cols, run, height)) return (spk_blocks4_s8_header){0};
  spk_blocks4_s8_header header = spk_blocks4_s8_header_of(rows, cols, run, height);
  int8_t weights[16];
  for (int32_t g = 0; g < header.groups; ++g)
    for (columns c = columns_of(&header, 0); c.first < cols; c = next_columns(&header, c))
      header.blocks += (uint32_t)read_block(dense, &header, g, c, weights);
  return header;
}

size_t spk_blocks4_s8_pack_size(const int8_t *dense, int32_t rows, int32_t cols, int32_t run,
                                int32_t height) {
  const spk_blocks4_s8_header header = describe(dense, rows, cols, run, height);
  return header.groups ? spk_blocks4_s8_bytes(&header) : 0;
}

spk_status spk_blocks4_s8_pack(const int8_t *dense, int32_t rows, int32_t cols, int32_t run,
                               int32_t height, void *blob, size_t bytes) {
  const spk_blocks4_s8_header header = describe(dense, rows, cols, run, height);
  if (!blob || header.groups == 0) return SPK_ERR_ARGUMENT;
  if (bytes < spk_blocks4_s8_bytes(&header)) return SPK_ERR_SPACE;
  memset(blob, 0, spk_blocks4_s8_bytes(&header));
  memcpy(blob, &header, sizeof(header));
  uint32_t *first = (uint32_t *)spk_blocks4_s8_first(blob);
  int32_t *sum = (int32_t *)spk_blocks4_s8_sum(blob);
  uint32_t *to = (uint32_t *)spk_blocks4_s8_blocks(blob), count = 0;
  int8_t weights[16];
  for (int32_t g = 0; g < header.groups; ++g) {
    first[g] = count;
    columns c = columns_of(&header, 0);
    for (uint32_t b = 0; c.first < cols; ++b, c = next_columns(&header, c)) {
      if (!read_block(dense, &header, g, c, weights)) continue;
      to[0] = b;
      memcpy(to + 1, weights, 4 * (size_t)height);
      for (int32_t i = 0; i < 4 * height; ++i) sum[g * height + i / 4] += weights[i];
      to += spk_blocks4_s8_words(height);
      ++count;
    }
  }
  first[header.groups] = count;
  return SPK_OK;
}

// The header is compared with what it must be, so that no later size comes from the blob
// except the number of blocks, which the length of the blob confirms.
static int header_is_valid(const void *blob, size_t bytes, int32_t rows, int32_t cols,
                           int32_t run, int32_t height) {
  spk_blocks4_s8_header header;
  if (bytes < sizeof(header)) return 0;
  memcpy(&header, blob, sizeof(header));
  spk_blocks4_s8_header expected = spk_blocks4_s8_header_of(rows, cols, run, height);
  expected.blocks = header.blocks;
  if (memcmp(&header, &expected, sizeof(expected)) != 0) return 0;
  if (header.blocks > (uint32_t)header.groups * (uint32_t)spk_blocks4_s8_across(&header))
    return 0;
  return spk_blocks4_s8_bytes(&header) == bytes;
}

// Places ascend; what lies outside the matrix is 0; the sums of the rows are right.
static int group_is_valid(const void *blob, int32_t group) {
  const spk_blocks4_s8_header *header = blob;
  const size_t words = spk_blocks4_s8_words(header->height);
  const uint32_t *first = spk_blocks4_s8_first(blob);
  const uint32_t *block = spk_blocks4_s8_blocks(blob) + first[group] * words;
  int32_t sum[4] = {0};
  int64_t last = -1;
  for (uint32_t b = first[group]; b < first[group + 1]; ++b, block += words) {
    if (block[0] >= (uint32_t)spk_blocks4_s8_across(header) || (int64_t)block[0] <= last)
      return 0;
    const int32_t width = columns_of(header, (int32_t)block[0]).width;
    last = block[0];
    int8_t weights[16];
    memcpy(weights, block + 1, 4 * (size_t)header->height);
    for (int32_t i = 0; i < 4 * header->height; ++i) {
      const int outside = group * header->height + i / 4 >= header->rows || i % 4 >= width;
      if (outside && weights[i] != 0) return 0;
      sum[i / 4] += weights[i];
    }
  }
  return memcmp(sum, spk_blocks4_s8_sum(blob) + (size_t)group * header->height,
                4 * (size_t)header->height) == 0;
}

spk_status spk_blocks4_s8_check(const void *blob, size_t bytes, int32_t rows, int32_t cols,
                                int32_t run, int32_t height) {
  if (!arguments_are_valid(blob, rows, cols, run, height)) return SPK_ERR_ARGUMENT;
  if (!header_is_valid(blob, bytes, rows, cols, run, height)) return SPK_ERR_FORMAT;
  const spk_blocks4_s8_header *header = blob;
  const uint32_t *first = spk_blocks4_s8_first(blob);
  if (first[0] != 0 || first[header->groups] != header->blocks) return SPK_ERR_FORMAT;
  for (int32_t g = 0; g < header->groups; ++g) {
    if (first[g + 1] < first[g] || first[g + 1] > header->blocks) return SPK_ERR_FORMAT;
    if (!group_is_valid(blob, g)) return SPK_ERR_FORMAT;
  }
  return SPK_OK;
}

spk_status spk_blocks4_s8_unpack(const void *blob, size_t bytes, int32_t rows, int32_t cols,
                                 int32_t run, int32_t height, int8_t *dense) {
  const spk_status status = spk_blocks4_s8_check(blob, bytes, rows, cols, run, height);
  if (status != SPK_OK) return status;
  if (!dense) return SPK_ERR_ARGUMENT;
  memset(dense, 0, (size_t)rows * cols);
  const spk_blocks4_s8_header *header = blob;
  const uint32_t *first = spk_blocks4_s8_first(blob), *block = spk_blocks4_s8_blocks(blob);
  for (int32_t g = 0; g < header->groups; ++g) {
    for (uint32_t b = first[g]; b < first[g + 1]; ++b, block += spk_blocks4_s8_words(height)) {
      const int8_t *weights = (const int8_t *)(block + 1);
      const columns c = columns_of(header, (int32_t)block[0]);
      for (int32_t r = 0; r < height && g * height + r < rows; ++r)
        memcpy(dense + (size_t)(g * height + r) * cols + c.first, weights + 4 * r,
               (size_t)c.width);
    }
  }
  return SPK_OK;
}
