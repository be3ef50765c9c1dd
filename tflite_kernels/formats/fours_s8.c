// fours_s8: the weights of a row that are not zero, four at a time (see spk/formats.h).
#include <string.h>

#include "spk/formats.h"

enum { kFour = 4, kLargest = 65535 };

// Where the parts of a blob begin, in bytes; `end` is its length.
typedef struct layout {
  size_t count, index, weights, end;
} layout;

static size_t even(size_t n) { return (n + 1) / 2 * 2; }

static layout layout_of(int32_t rows, int32_t spread, size_t fours) {
  const size_t indices = (fours + 1) * (spread ? kFour : 1);
  layout l = {.count = sizeof(uint32_t)};
  l.index = l.count + sizeof(uint16_t) * even((size_t)rows);
  l.weights = l.index + sizeof(uint16_t) * even(indices);
  l.end = l.weights + kFour * (fours + 1);
  return l;
}

static int is_block(const int8_t *row, int32_t at) {
  return row[at] != 0 || row[at + 1] != 0 || row[at + 2] != 0 || row[at + 3] != 0;
}

// At least one: loops over fours need not ask whether there are any.
static size_t row_fours(const int8_t *row, int32_t cols, int32_t spread) {
  size_t found = 0;
  if (!spread) {
    for (int32_t c = 0; c < cols; c += kFour) found += (size_t)is_block(row, c);
  } else {
    for (int32_t c = 0; c < cols; ++c) found += row[c] != 0;
    found = (found + kFour - 1) / kFour;
  }
  return found > 0 ? found : 1;
}

// Indices and counts must fit, and blocks must not stick out of a row.
static int is_possible(int32_t rows, int32_t cols, int32_t spread) {
  if (rows <= 0 || cols <= 0) return 0;
  return spread ? cols <= kLargest : cols % kFour == 0 && cols / kFour <= kLargest;
}

// Returns 0 for arguments that the format cannot hold.
size_t spk_fours_s8_pack_size(const int8_t *dense, int32_t rows, int32_t cols, int32_t spread) {
  if (dense == NULL || !is_possible(rows, cols, spread)) return 0;
  size_t fours = 0;
  for (int32_t r = 0; r < rows; ++r) {
    fours += row_fours(dense + (size_t)r * (size_t)cols, cols, spread);
  }
  return fours < UINT32_MAX / 16 ? layout_of(rows, spread, fours).end : 0;
}

// Where the next index and the next weights go.
typedef struct writer {
  uint8_t *index;
  int8_t *weights;
} writer;

static void put_u16(uint8_t *to, size_t value) {
  to[0] = (uint8_t)(value & 0xff);
  to[1] = (uint8_t)(value >> 8);
}

static size_t get_u16(const uint8_t *from) { return (size_t)from[0] | (size_t)from[1] << 8; }

static void pack_blocks(const int8_t *row, int32_t cols, writer *to) {
  for (int32_t c = 0; c < cols; c += kFour) {
    if (!is_block(row, c)) continue;
    put_u16(to->index, (size_t)(c / kFour));
    memcpy(to->weights, row + c, kFour);
    to->index += sizeof(uint16_t);
    to->weights += kFour;
  }
}

// Behind the last weight of a row, columns 0 and weights 0 are there already.
static void pack_spread(const int8_t *row, int32_t cols, writer *to) {
  for (int32_t c = 0; c < cols; ++c) {
    if (row[c] == 0) continue;
    put_u16(to->index, (size_t)c);
    *to->weights++ = row[c];
    to->index += sizeof(uint16_t);
  }
}

spk_status spk_fours_s8_pack(const int8_t *dense, int32_t rows, int32_t cols, int32_t spread,
                             void *blob, size_t bytes) {
  if (dense == NULL || blob == NULL || rows <= 0 || cols <= 0) return SPK_ERR_ARGUMENT;
  const size_t needed = spk_fours_s8_pack_size(dense, rows, cols, spread);
  if (needed == 0) return SPK_ERR_UNSUPPORTED;
  if (bytes < needed) return SPK_ERR_SPACE;
  uint8_t *const base = blob;
  memset(base, 0, needed);
  size_t fours = 0;
  for (int32_t r = 0; r < rows; ++r) {
    const size_t count = row_fours(dense + (size_t)r * (size_t)cols, cols, spread);
    put_u16(base + sizeof(uint32_t) + sizeof(uint16_t) * (size_t)r, count);
    fours += count;
  }
  put_u16(base, fours & 0xffff);
  put_u16(base + 2, fours >> 16);
  const layout l = layout_of(rows, spread, fours);
  fours = 0;
  for (int32_t r = 0; r < rows; ++r) {
    const int8_t *row = dense + (size_t)r * (size_t)cols;
    const size_t before = fours * (spread ? kFour : 1);
    writer to = {base + l.index + sizeof(uint16_t) * before,
                 (int8_t *)base + l.weights + kFour * fours};
    if (spread) {
      pack_spread(row, cols, &to);
    } else {
      pack_blocks(row, cols, &to);
    }
    fours += get_u16(base + l.count + sizeof(uint16_t) * (size_t)r);
  }
  return SPK_OK;
}

spk_status spk_fours_s8_check(const void *blob, size_t bytes, int32_t rows, int32_t cols,
                              int32_t spread) {
  if (blob == NULL || rows <= 0 || cols <= 0) return SPK_ERR_ARGUMENT;
  if (!is_possible(rows, cols, spread) || bytes < sizeof(uint32_t)) return SPK_ERR_FORMAT;
  const uint8_t *const base = blob;
  const size_t fours = get_u16(base) | get_u16(base + 2) << 16;
  if (fours > bytes) return SPK_ERR_FORMAT;  // each takes more than a byte
  const layout l = layout_of(rows, spread, fours);
  if (bytes != l.end) return SPK_ERR_FORMAT;
  size_t counted = 0;
  for (int32_t r = 0; r < rows; ++r) {
    const size_t count = get_u16(base + l.count + 2 * (size_t)r);
    if (count == 0) return SPK_ERR_FORMAT;
    counted += count;
  }
  if (counted != fours) return SPK_ERR_FORMAT;
  const size_t limit = (size_t)(spread ? cols : cols / kFour);
  for (size_t at = l.index; at < l.weights; at += 2) {
    if (get_u16(base + at) >= limit) return SPK_ERR_FORMAT;
  }
  return SPK_OK;
}

spk_status spk_fours_s8_unpack(const void *blob, size_t bytes, int32_t rows, int32_t cols,
                               int32_t spread, int8_t *dense) {
  if (dense == NULL) return SPK_ERR_ARGUMENT;
  const spk_status status = spk_fours_s8_check(blob, bytes, rows, cols, spread);
  if (status != SPK_OK) return status;
  const uint8_t *const base = blob;
  const layout l = layout_of(rows, spread, get_u16(base) | get_u16(base + 2) << 16);
  const uint8_t *index = base + l.index;
  const int8_t *weight = (const int8_t *)base + l.weights;
  memset(dense, 0, (size_t)rows * (size_t)cols);
  for (int32_t r = 0; r < rows; ++r, dense += cols) {
    size_t left = kFour * get_u16(base + l.count + 2 * (size_t)r);
    for (size_t i = 0; i < left; ++i, ++weight) {
      const size_t column = spread ? get_u16(index) : kFour * get_u16(index) + i % kFour;
      if (*weight != 0) dense[column] = *weight;
      index += spread || i % kFour == kFour - 1 ? 2 : 0;
    }
  }
  return SPK_OK;
}
