// stream_s8: row-major {delta, weight} byte pairs (see spk/formats.h).
#include <string.h>

#include "spk/formats.h"

enum { kHeader = 2, kPair = 2, kMaxGap = 255, kMaxPairs = 65535, kMaxOddPairs = 16383 };

// Pairs that bridge a gap: one a full 255, then the one that carries the weight.
static size_t pairs_for_gap(int32_t gap) {
  return gap == 0 ? 1 : 1 + (size_t)((gap - 1) / kMaxGap);
}

// `filler` is the column of a zero that gets a pair all the same, or kNoFiller.
enum { kNoFiller = -1 };

static size_t row_pairs(const int8_t *row, int32_t cols, int32_t filler) {
  size_t pairs = 0;
  int32_t last = 0;
  for (int32_t col = 0; col < cols; ++col) {
    if (row[col] == 0 && col != filler) continue;
    pairs += pairs_for_gap(col - last);
    last = col;
  }
  return pairs;
}

// How many pairs a row gets, and with which filler; 0 in *possible if it cannot be odd.
static size_t planned_pairs(const int8_t *row, int32_t cols, int odd, int32_t *filler,
                            int *possible) {
  const size_t pairs = row_pairs(row, cols, kNoFiller);
  *filler = kNoFiller;
  *possible = 1;
  if (!odd || pairs % 2 == 1) return pairs;
  for (int32_t col = 0; col < cols; ++col) {
    // A gap of 256 is bridged anyway, and one stop in it more may change nothing.
    if (row[col] == 0 && row_pairs(row, cols, col) == pairs + 1) {
      *filler = col;
      return pairs + 1;
    }
  }
  *possible = 0;
  return pairs;
}

static size_t pack_size(const int8_t *dense, int32_t rows, int32_t cols, int odd) {
  if (dense == NULL || rows <= 0 || cols <= 0) return 0;
  size_t bytes = 0;
  for (int32_t r = 0; r < rows; ++r, dense += cols) {
    int32_t filler;
    int possible;
    const size_t pairs = planned_pairs(dense, cols, odd, &filler, &possible);
    if (!possible || pairs > (size_t)(odd ? kMaxOddPairs : kMaxPairs)) return 0;
    bytes += kHeader + kPair * pairs;
  }
  return bytes;
}

static uint8_t *pack_row(const int8_t *row, int32_t cols, int odd, uint8_t *out) {
  int32_t filler;
  int possible;
  const size_t pairs = planned_pairs(row, cols, odd, &filler, &possible);
  *out++ = (uint8_t)(pairs & 0xff);
  *out++ = (uint8_t)(pairs >> 8);
  int32_t last = 0;
  for (int32_t col = 0; col < cols; ++col) {
    if (row[col] == 0 && col != filler) continue;
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

static spk_status pack(const int8_t *dense, int32_t rows, int32_t cols, int odd, uint8_t *blob,
                       size_t bytes) {
  if (dense == NULL || blob == NULL || rows <= 0 || cols <= 0) return SPK_ERR_ARGUMENT;
  const size_t needed = pack_size(dense, rows, cols, odd);
  if (needed == 0) return SPK_ERR_UNSUPPORTED;  // a row that its count cannot describe
  if (bytes < needed) return SPK_ERR_SPACE;
  for (int32_t r = 0; r < rows; ++r, dense += cols) blob = pack_row(dense, cols, odd, blob);
  return SPK_OK;
}

// The sizes are 0 for arguments that no stream can hold.
size_t spk_stream_s8_pack_size(const int8_t *dense, int32_t rows, int32_t cols) {
  return pack_size(dense, rows, cols, 0);
}

spk_status spk_stream_s8_pack(const int8_t *dense, int32_t rows, int32_t cols, uint8_t *blob,
                              size_t bytes) {
  return pack(dense, rows, cols, 0, blob, bytes);
}

size_t spk_stream_s8_pack_odd_size(const int8_t *dense, int32_t rows, int32_t cols) {
  return pack_size(dense, rows, cols, 1);
}

spk_status spk_stream_s8_pack_odd(const int8_t *dense, int32_t rows, int32_t cols,
                                  uint8_t *blob, size_t bytes) {
  return pack(dense, rows, cols, 1, blob, bytes);
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
