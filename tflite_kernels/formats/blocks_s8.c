// blocks_s8: 1x4 blocks of int8 weights (see spk/formats.h).
#include <string.h>

#include "spk/formats.h"

enum { kHeader = 4, kBlock = 4, kFour = 20, kUnit = 8, kMaxGap = 31, kMaxBlocks = 4095 };

// Blocks of a row, and a walk over them.
typedef struct row {
  const int8_t *weights;
  int32_t cols, blocks;
} row;

static row row_of(const int8_t *weights, int32_t cols) {
  const row r = {weights, cols, (cols + kBlock - 1) / kBlock};
  return r;
}

// The weights of a block, those beyond the last column 0; are there any?
static int block_of(const row *r, int32_t block, int8_t weights[kBlock]) {
  const int32_t first = block * kBlock, left = r->cols - first;
  memset(weights, 0, kBlock);
  memcpy(weights, r->weights + first, (size_t)(left < kBlock ? left : kBlock));
  return (weights[0] | weights[1] | weights[2] | weights[3]) != 0;
}

static int32_t blocks_for_gap(int32_t gap) { return gap == 0 ? 1 : 1 + (gap - 1) / kMaxGap; }

// Stored blocks of a row: its own, those that bridge gaps, and one to avoid a rest of three.
static int32_t row_count(const row *r) {
  int32_t count = 0, last = 0;
  for (int32_t b = 0; b < r->blocks; ++b) {
    int8_t weights[kBlock];
    if (!block_of(r, b, weights)) continue;
    count += blocks_for_gap(b - last);
    last = b;
  }
  return count + (count % 4 == 3);
}

static size_t row_bytes(int32_t count) {
  return kHeader + (size_t)(count % 4) * kBlock + (size_t)(count / 4) * kFour;
}

// Where delta and weights of the i-th of `count` blocks lie, from the start of the row.
static size_t delta_at(int32_t i, int32_t count) {
  const int32_t rest = count % 4;
  if (i < rest) return (size_t)(kHeader - rest + i);
  return row_bytes(rest) + (size_t)((i - rest) / 4) * kFour + (size_t)((i - rest) % 4);
}

static size_t weights_at(int32_t i, int32_t count) {
  const int32_t rest = count % 4;
  if (i < rest) return kHeader + (size_t)i * kBlock;
  return row_bytes(rest) + (size_t)((i - rest) / 4) * kFour +
         (size_t)((i - rest) % 4 + 1) * kBlock;
}

// Returns 0 for arguments that no blocks can hold.
size_t spk_blocks_s8_pack_size(const int8_t *dense, int32_t rows, int32_t cols) {
  if (dense == NULL || rows <= 0 || cols <= 0 || rows > INT32_MAX / cols) return 0;
  size_t bytes = 0;
  for (int32_t r = 0; r < rows; ++r, dense += cols) {
    const row this_row = row_of(dense, cols);
    const int32_t count = row_count(&this_row);
    if (count > kMaxBlocks) return 0;
    bytes += row_bytes(count);
  }
  return bytes;
}

static uint8_t *pack_row(const row *r, uint8_t *out) {
  const int32_t count = row_count(r);
  memset(out, 0, row_bytes(count));
  out[0] = (uint8_t)(count & 0xff);
  out[1] = (uint8_t)(count >> 8);
  int32_t i = 0, last = 0;
  for (int32_t b = 0; b < r->blocks; ++b) {
    int8_t weights[kBlock];
    if (!block_of(r, b, weights)) continue;
    int32_t gap = b - last;
    for (; gap > kMaxGap; gap -= kMaxGap) out[delta_at(i++, count)] = kMaxGap * kUnit;
    out[delta_at(i, count)] = (uint8_t)(gap * kUnit);
    memcpy(out + weights_at(i++, count), weights, kBlock);
    last = b;
  }
  return out + row_bytes(count);
}

spk_status spk_blocks_s8_pack(const int8_t *dense, int32_t rows, int32_t cols, uint8_t *blob,
                              size_t bytes) {
  if (dense == NULL || blob == NULL || rows <= 0 || cols <= 0) return SPK_ERR_ARGUMENT;
  const size_t needed = spk_blocks_s8_pack_size(dense, rows, cols);
  if (needed == 0) return SPK_ERR_UNSUPPORTED;  // a row of more blocks than its count holds
  if (bytes < needed) return SPK_ERR_SPACE;
  for (int32_t r = 0; r < rows; ++r, dense += cols) {
    const row this_row = row_of(dense, cols);
    blob = pack_row(&this_row, blob);
  }
  return SPK_OK;
}

// Blocks ascend, stay within the row, and have no weight beyond the last column.
static int row_is_valid(const uint8_t *blob, int32_t count, int32_t cols) {
  int32_t column = 0;  // at most 4095 * 124, no overflow
  for (int32_t i = 0; i < count; ++i) {
    const uint8_t delta = blob[delta_at(i, count)];
    const uint8_t *weights = blob + weights_at(i, count);
    column += delta / kUnit * kBlock;
    if (delta % kUnit != 0 || column >= cols) return 0;
    for (int32_t w = 0; w < kBlock; ++w) {
      const int taken = column + w >= cols || (i > 0 && delta == 0);
      if (taken && weights[w] != 0) return 0;
    }
  }
  return 1;
}

spk_status spk_blocks_s8_check(const uint8_t *blob, size_t bytes, int32_t rows, int32_t cols) {
  if (blob == NULL || rows <= 0 || cols <= 0 || rows > INT32_MAX / cols)
    return SPK_ERR_ARGUMENT;
  size_t at = 0;
  for (int32_t r = 0; r < rows; ++r) {
    if (bytes - at < kHeader) return SPK_ERR_FORMAT;
    const int32_t count = blob[at] | blob[at + 1] << 8;
    if (count % 4 == 3 || count > kMaxBlocks || bytes - at < row_bytes(count))
      return SPK_ERR_FORMAT;
    if (!row_is_valid(blob + at, count, cols)) return SPK_ERR_FORMAT;
    at += row_bytes(count);
  }
  return at == bytes ? SPK_OK : SPK_ERR_FORMAT;
}

spk_status spk_blocks_s8_unpack(const uint8_t *blob, size_t bytes, int32_t rows, int32_t cols,
                                int8_t *dense) {
  if (dense == NULL) return SPK_ERR_ARGUMENT;
  const spk_status status = spk_blocks_s8_check(blob, bytes, rows, cols);
  if (status != SPK_OK) return status;
  memset(dense, 0, (size_t)rows * (size_t)cols);
  for (int32_t r = 0; r < rows; ++r, dense += cols) {
    const int32_t count = blob[0] | blob[1] << 8;
    int32_t column = 0;
    for (int32_t i = 0; i < count; ++i) {
      const uint8_t *weights = blob + weights_at(i, count);
      column += blob[delta_at(i, count)] / kUnit * kBlock;
      for (int32_t w = 0; w < kBlock; ++w) {
        if (weights[w] != 0) dense[column + w] = (int8_t)weights[w];
      }
    }
    blob += row_bytes(count);
  }
  return SPK_OK;
}
