// csr_f32: compressed sparse rows (see spk/formats.h).
#include "formats/csr_f32.h"

#include <string.h>

static uint32_t count_nonzeros(const float *dense, size_t size) {
  uint32_t count = 0;
  for (size_t i = 0; i < size; ++i) count += dense[i] != 0.0f;
  return count;
}

static size_t blob_bytes(int32_t rows, uint32_t nonzeros) {
  return ((size_t)rows + 1) * sizeof(uint32_t) + (size_t)nonzeros * sizeof(spk_csr_f32_entry);
}

size_t spk_csr_f32_pack_size(const float *dense, int32_t rows, int32_t cols) {
  if (!dense || rows < 1 || cols < 1 || cols > INT32_MAX / rows) return 0;
  return blob_bytes(rows, count_nonzeros(dense, (size_t)rows * cols));
}

spk_status spk_csr_f32_pack(const float *dense, int32_t rows, int32_t cols, void *blob,
                            size_t bytes) {
  const size_t needed = spk_csr_f32_pack_size(dense, rows, cols);
  if (!blob || needed == 0) return SPK_ERR_ARGUMENT;
  if (bytes < needed) return SPK_ERR_SPACE;
  uint32_t *start = blob, count = 0;
  spk_csr_f32_entry *entries = (spk_csr_f32_entry *)(start + rows + 1);
  for (int32_t r = 0; r < rows; ++r) {
    start[r] = count;
    for (int32_t c = 0; c < cols; ++c) {
      const float value = dense[(size_t)r * cols + c];
      if (value != 0.0f) entries[count++] = (spk_csr_f32_entry){(uint32_t)c, value};
    }
  }
  start[rows] = count;
  return SPK_OK;
}

// Columns must ascend, so that no weight is given twice.
static int row_is_valid(const spk_csr_f32_entry *entry, uint32_t count, int32_t cols) {
  for (uint32_t i = 0; i < count; ++i) {
    if (entry[i].column >= (uint32_t)cols) return 0;
    if (i > 0 && entry[i].column <= entry[i - 1].column) return 0;
  }
  return 1;
}

spk_status spk_csr_f32_check(const void *blob, size_t bytes, int32_t rows, int32_t cols) {
  if (!blob || rows < 1 || cols < 1 || cols > INT32_MAX / rows) return SPK_ERR_ARGUMENT;
  if (bytes < blob_bytes(rows, 0)) return SPK_ERR_FORMAT;
  const uint32_t *start = spk_csr_f32_start(blob);
  if (start[0] != 0 || start[rows] > (uint32_t)rows * (uint32_t)cols) return SPK_ERR_FORMAT;
  if (bytes != blob_bytes(rows, start[rows])) return SPK_ERR_FORMAT;
  const spk_csr_f32_entry *entries = spk_csr_f32_entries(blob, rows);
  for (int32_t r = 0; r < rows; ++r) {
    if (start[r + 1] < start[r] || start[r + 1] > start[rows]) return SPK_ERR_FORMAT;
    if (!row_is_valid(entries + start[r], start[r + 1] - start[r], cols)) return SPK_ERR_FORMAT;
  }
  return SPK_OK;
}

spk_status spk_csr_f32_unpack(const void *blob, size_t bytes, int32_t rows, int32_t cols,
                              float *dense) {
  const spk_status status = spk_csr_f32_check(blob, bytes, rows, cols);
  if (status != SPK_OK) return status;
  if (!dense) return SPK_ERR_ARGUMENT;
  memset(dense, 0, (size_t)rows * cols * sizeof(float));
  const uint32_t *start = spk_csr_f32_start(blob);
  const spk_csr_f32_entry *entries = spk_csr_f32_entries(blob, rows);
  for (int32_t r = 0; r < rows; ++r)
    for (uint32_t i = start[r]; i < start[r + 1]; ++i)
      dense[(size_t)r * cols + entries[i].column] = entries[i].value;
  return SPK_OK;
}
