// stream_s8: row-major {delta, weight} byte pairs (see spk/formats.h).
#include <string.h>

#include "spk/formats.h"

enum { kHeader = 2, kPair = 2, kMaxGap = 255, kMaxPairs = 65535 };

// Pairs that bridge a gap: one a full 255, then the one that carries the weight.
static size_t pairs_for_gap(int32_t gap) {
  return gap == 0 ? 1 : 1 + (size_t)((gap - 1) / kMaxGap);
}

static size_t row_pairs(const int8_t *row, int32_t cols) {
  size_t pairs = 0;
  int32_t last = 0;
  for (int32_t col = 0; col < cols; ++col) {
    if (row[col] == 0) continue;
    pairs += pairs_for_gap(col - last);
    last = col;
  }
  return pairs;
}

// Returns 0 for arguments that no stream can hold.
size_t spk_stream_s8_pack_size(const int8_t *dense, int32_t rows, int32_t cols) {
  if (dense == NULL || rows <= 0 || cols <= 0) return 0;
  size_t bytes = 0;
  for (int32_t r = 0; r < rows; ++r) {
    const size_t pairs = row_pairs(dense + (size_t)r * (size_t)cols, cols);
    if (pairs > kMaxPairs) return 0;
    bytes += kHeader + kPair * pairs;
  }
  return bytes;
}

static uint8_t *pack_row(const int8_t *row, int32_t cols, uint8_t *out) {
  const size_t pairs = row_pairs(row, cols);
  *out++ = (uint8_t)(pairs & 0xff);
  *out++ = (uint8_t)(pairs >> 8);
  int32_t last = 0;
  for (int32_t col = 0; col < cols; ++col) {
    if (row[col] == 0) continue;
    int32_t gap = col - last;
    for (; gap > kMaxGap; gap -= kMaxGap) {
      *out++ = kMaxGap;
      *out++ = 0;
    }
    *out++ = (uint8_t)gap;
    *out++ = (uint8_t)row[col];
    last = col;
  }
  return out;
}

spk_status spk_stream_s8_pack(const int8_t *dense, int32_t rows, int32_t cols, uint8_t *blob,
                              size_t bytes) {
  if (dense == NULL || blob == NULL || rows <= 0 || cols <= 0) return SPK_ERR_ARGUMENT;
  const size_t needed = spk_stream_s8_pack_size(dense, rows, cols);
  if (needed == 0) return SPK_ERR_UNSUPPORTED;  // a row of more pairs than its count holds
  if (bytes < needed) return SPK_ERR_SPACE;
  for (int32_t r = 0; r < rows; ++r) {
    blob = pack_row(dense + (size_t)r * (size_t)cols, cols, blob);
  }
  return SPK_OK;
}

spk_status spk_stream_s8_check(const uint8_t *blob, size_t bytes, int32_t rows, int32_t cols) {
  if (blob == NULL || rows <= 0 || cols <= 0) return SPK_ERR_ARGUMENT;
  size_t at = 0;
  for (int32_t r = 0; r < rows; ++r) {
    if (bytes - at < kHeader) return SPK_ERR_FORMAT;
    const size_t pairs = (size_t)blob[at] | (size_t)blob[at + 1] << 8;
    at += kHeader;
    if ((bytes - at) / kPair < pairs) return SPK_ERR_FORMAT;
    int32_t col = 0;  // at most 65535 * 255, no overflow
    for (size_t i = 0; i < pairs; ++i, at += kPair) {
      col += blob[at];
      if (col >= cols) return SPK_ERR_FORMAT;
      if (i > 0 && blob[at] == 0) return SPK_ERR_FORMAT;  // two weights for one column
    }
  }
  return at == bytes ? SPK_OK : SPK_ERR_FORMAT;
}

spk_status spk_stream_s8_unpack(const uint8_t *blob, size_t bytes, int32_t rows, int32_t cols,
                                int8_t *dense) {
  if (dense == NULL) return SPK_ERR_ARGUMENT;
  const spk_status status = spk_stream_s8_check(blob, bytes, rows, cols);
  if (status != SPK_OK) return status;
  memset(dense, 0, (size_t)rows * (size_t)cols);
  for (int32_t r = 0; r < rows; ++r, dense += cols) {
    size_t pairs = (size_t)blob[0] | (size_t)blob[1] << 8;
    blob += kHeader;
    int32_t col = 0;
    for (; pairs > 0; --pairs, blob += kPair) {
      col += blob[0];
      dense[col] = (int8_t)blob[1];
    }
  }
  return SPK_OK;
}
