// groups_s8: one int8 weight in each group of 4 or 8 inputs (see spk/formats.h).
#include "spk/groups_s8.h"

#include <string.h>

#include "spk/formats.h"

// Is this a matrix that the format describes at all?
static int is_valid(int32_t rows, int32_t cols, int32_t m) {
  return rows > 0 && cols > 0 && rows <= INT32_MAX / cols && (m == 4 || m == 8);
}

static size_t row_bytes(int32_t cols, int32_t m) {
  const int32_t groups = (cols + m - 1) / m, of_unit = SPK_UNIT_COLUMNS / m;
  const int32_t rest = groups % of_unit;
  const size_t units = (size_t)(groups / of_unit) * (size_t)(4 + of_unit);
  return units + (rest > 0 ? (size_t)(4 + (rest + 3) / 4 * 4) : 0);
}

// The column of the only weight from `first` on; -1 if there are several, `first` if there is
// none.
static int32_t only_weight(const int8_t *row, int32_t first, int32_t cols, int32_t m) {
  const int32_t last = cols - first < m ? cols : first + m;
  int32_t found = first, count = 0;
  for (int32_t col = first; col < last; ++col) {
    if (row[col] != 0) found = col, ++count;
  }
  return count > 1 ? -1 : found;
}

// Returns 0 for a matrix with two weights in a group, and for arguments that describe none.
size_t spk_groups_s8_pack_size(const int8_t *dense, int32_t rows, int32_t cols, int32_t m) {
  if (dense == NULL || !is_valid(rows, cols, m)) return 0;
  for (int32_t r = 0; r < rows; ++r) {
    for (int32_t first = 0; first < cols; first += m) {
      if (only_weight(dense + (size_t)r * (size_t)cols, first, cols, m) < 0) return 0;
    }
  }
  return (size_t)rows * row_bytes(cols, m);
}

static void pack_row(const int8_t *row, int32_t cols, int32_t m, uint8_t *out) {
  memset(out, 0, row_bytes(cols, m));
  for (int32_t first = 0; first < cols; first += m) {
    const int32_t group = first % SPK_UNIT_COLUMNS / m;
    uint8_t *unit =
        out + (size_t)(first / SPK_UNIT_COLUMNS) * (4 + SPK_UNIT_COLUMNS / (size_t)m);
    const int32_t column = only_weight(row, first, cols, m);
    unit[group % 4] |= (uint8_t)((column - first) << spk_group_shift(group, m));
    unit[4 + group] = (uint8_t)row[column];
  }
}

spk_status spk_groups_s8_pack(const int8_t *dense, int32_t rows, int32_t cols, int32_t m,
                              uint8_t *blob, size_t bytes) {
  if (dense == NULL || blob == NULL || !is_valid(rows, cols, m)) return SPK_ERR_ARGUMENT;
  const size_t needed = spk_groups_s8_pack_size(dense, rows, cols, m);
  if (needed == 0) return SPK_ERR_UNSUPPORTED;  // two weights in a group
  if (bytes < needed) return SPK_ERR_SPACE;
  for (int32_t r = 0; r < rows; ++r, dense += cols, blob += row_bytes(cols, m)) {
    pack_row(dense, cols, m, blob);
  }
  return SPK_OK;
}

// Calls of a row that has the right size: is every place within its group and the row?
static int row_is_valid(const uint8_t *row, int32_t cols, int32_t m) {
  for (int32_t first = 0; first < cols; first += m) {
    const int32_t group = first % SPK_UNIT_COLUMNS / m;
    const uint8_t *unit =
        row + (size_t)(first / SPK_UNIT_COLUMNS) * (4 + SPK_UNIT_COLUMNS / (size_t)m);
    const int32_t place = unit[group % 4] >> spk_group_shift(group, m) & (m == 4 ? 3 : 15);
    if (place >= m || place >= cols - first) return 0;
  }
  return 1;
}

spk_status spk_groups_s8_check(const uint8_t *blob, size_t bytes, int32_t rows, int32_t cols,
                               int32_t m) {
  if (blob == NULL || !is_valid(rows, cols, m)) return SPK_ERR_ARGUMENT;
  if (bytes != (size_t)rows * row_bytes(cols, m)) return SPK_ERR_FORMAT;
  for (int32_t r = 0; r < rows; ++r, blob += row_bytes(cols, m)) {
    if (!row_is_valid(blob, cols, m)) return SPK_ERR_FORMAT;
  }
  return SPK_OK;
}

spk_status spk_groups_s8_unpack(const uint8_t *blob, size_t bytes, int32_t rows, int32_t cols,
                                int32_t m, int8_t *dense) {
  if (dense == NULL) return SPK_ERR_ARGUMENT;
  const spk_status status = spk_groups_s8_check(blob, bytes, rows, cols, m);
  if (status != SPK_OK) return status;
  memset(dense, 0, (size_t)rows * (size_t)cols);
  for (int32_t r = 0; r < rows; ++r, dense += cols, blob += row_bytes(cols, m)) {
    for (int32_t first = 0; first < cols; first += m) {
      const int32_t group = first % SPK_UNIT_COLUMNS / m;
      const uint8_t *unit =
          blob + (size_t)(first / SPK_UNIT_COLUMNS) * (4 + SPK_UNIT_COLUMNS / (size_t)m);
      dense[first + spk_group_place(unit, group, m)] = (int8_t)unit[4 + group];
    }
  }
  return SPK_OK;
}
