// tuples_s8: rows of n nonzeros at a time (see spk/formats.h).
#include "formats/tuples_s8.h"

#include <string.h>

static uint32_t row_tuples(const int8_t *row, int32_t cols, int32_t n) {
  int32_t nonzeros = 0;
  for (int32_t c = 0; c < cols; ++c) nonzeros += row[c] != 0;
  return (uint32_t)((nonzeros + n - 1) / n);
}

static size_t blob_bytes(int32_t rows, uint64_t tuples, int32_t n) {
  return (2 * (size_t)rows + 1 + (size_t)tuples * ((size_t)n + 1)) * sizeof(uint32_t);
}

static int arguments_are_valid(const void *data, int32_t rows, int32_t cols, int32_t n) {
  return data && rows > 0 && cols > 0 && cols <= INT32_MAX / rows && (n == 2 || n == 4);
}

size_t spk_tuples_s8_pack_size(const int8_t *dense, int32_t rows, int32_t cols, int32_t n) {
  if (!arguments_are_valid(dense, rows, cols, n)) return 0;
  uint64_t tuples = 0;
  for (int32_t r = 0; r < rows; ++r) tuples += row_tuples(dense + (size_t)r * cols, cols, n);
  return blob_bytes(rows, tuples, n);
}

static int32_t read_weight(const uint32_t *tuple, int32_t n, int32_t slot) {
  int8_t narrow[4];
  int16_t wide[2];
  memcpy(narrow, tuple + n, 4);
  memcpy(wide, tuple + n, 4);
  return n == 4 ? narrow[slot] : wide[slot];
}

static void write_weight(uint32_t *tuple, int32_t n, int32_t slot, int8_t weight) {
  const int16_t wide = weight;
  if (n == 4) memcpy((uint8_t *)(tuple + n) + slot, &weight, 1);
  if (n == 2) memcpy((uint8_t *)(tuple + n) + 2 * slot, &wide, 2);
}

// Writes the tuples of one row, returns how many; an empty slot keeps column 0 and weight 0.
static uint32_t pack_row(const int8_t *row, int32_t cols, int32_t n, uint32_t *tuple) {
  uint32_t count = 0;
  int32_t slot = 0;
  for (int32_t c = 0; c < cols; ++c) {
    if (row[c] == 0) continue;
    if (slot == 0) memset(tuple + (size_t)count++ * (n + 1), 0, ((size_t)n + 1) * 4);
    uint32_t *last = tuple + (size_t)(count - 1) * (n + 1);
    last[slot] = (uint32_t)c;
    write_weight(last, n, slot, row[c]);
    slot = (slot + 1) % n;
  }
  return count;
}

static int32_t row_sum(const int8_t *row, int32_t cols) {
  int64_t sum = 0;
  for (int32_t c = 0; c < cols; ++c) sum += row[c];
  return (int32_t)(uint32_t)sum;  // modulo 2^32, like the accumulators
}

spk_status spk_tuples_s8_pack(const int8_t *dense, int32_t rows, int32_t cols, int32_t n,
                              void *blob, size_t bytes) {
  const size_t needed = spk_tuples_s8_pack_size(dense, rows, cols, n);
  if (!blob || needed == 0) return SPK_ERR_ARGUMENT;
  if (bytes < needed) return SPK_ERR_SPACE;
  uint32_t *start = blob, count = 0;
  int32_t *sum = (int32_t *)(start + rows + 1);
  uint32_t *tuples = start + 2 * (size_t)rows + 1;
  for (int32_t r = 0; r < rows; ++r) {
    const int8_t *row = dense + (size_t)r * cols;
    start[r] = count;
    sum[r] = row_sum(row, cols);
    count += pack_row(row, cols, n, tuples + (size_t)count * (n + 1));
  }
  start[rows] = count;
  return SPK_OK;
}

// Adds up a row; every slot that carries a weight must name a later column than the one before.
static int row_is_valid(const uint32_t *tuple, uint32_t count, int32_t cols, int32_t n,
                        int32_t sum) {
  int64_t total = 0, last = -1;
  for (uint32_t i = 0; i < count; ++i, tuple += n + 1) {
    for (int32_t slot = 0; slot < n; ++slot) {
      const int32_t weight = read_weight(tuple, n, slot);
      if (tuple[slot] >= (uint32_t)cols || weight < -128 || weight > 127) return 0;
      if (weight != 0 && (int64_t)tuple[slot] <= last) return 0;
      if (weight != 0) last = tuple[slot];
      total += weight;
    }
  }
  return (int32_t)(uint32_t)total == sum;
}

spk_status spk_tuples_s8_check(const void *blob, size_t bytes, int32_t rows, int32_t cols,
                               int32_t n) {
  if (!arguments_are_valid(blob, rows, cols, n)) return SPK_ERR_ARGUMENT;
  if (bytes < blob_bytes(rows, 0, n)) return SPK_ERR_FORMAT;
  const uint32_t *start = spk_tuples_s8_start(blob), *tuples = spk_tuples_s8_tuples(blob, rows);
  const int32_t *sum = spk_tuples_s8_sum(blob, rows);
  if (start[0] != 0 || start[rows] > (uint32_t)rows * (uint32_t)cols) return SPK_ERR_FORMAT;
  if (bytes != blob_bytes(rows, start[rows], n)) return SPK_ERR_FORMAT;
  for (int32_t r = 0; r < rows; ++r) {
    if (start[r + 1] < start[r] || start[r + 1] > start[rows]) return SPK_ERR_FORMAT;
    const uint32_t *tuple = tuples + (size_t)start[r] * (n + 1);
    if (!row_is_valid(tuple, start[r + 1] - start[r], cols, n, sum[r])) return SPK_ERR_FORMAT;
  }
  return SPK_OK;
}

spk_status spk_tuples_s8_unpack(const void *blob, size_t bytes, int32_t rows, int32_t cols,
                                int32_t n, int8_t *dense) {
  const spk_status status = spk_tuples_s8_check(blob, bytes, rows, cols, n);
  if (status != SPK_OK) return status;
  if (!dense) return SPK_ERR_ARGUMENT;
  memset(dense, 0, (size_t)rows * cols);
  const uint32_t *start = spk_tuples_s8_start(blob), *tuples = spk_tuples_s8_tuples(blob, rows);
  for (int32_t r = 0; r < rows; ++r) {
    for (uint32_t i = start[r]; i < start[r + 1]; ++i) {
      const uint32_t *tuple = tuples + (size_t)i * (n + 1);
      for (int32_t slot = 0; slot < n; ++slot) {
        const int32_t weight = read_weight(tuple, n, slot);
        if (weight != 0) dense[(size_t)r * cols + tuple[slot]] = (int8_t)weight;
      }
    }
  }
  return SPK_OK;
}
