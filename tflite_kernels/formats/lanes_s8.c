// lanes_s8: groups of sixteen int8 weights for vector units that gather.
#include "spk/lanes_s8.h"

#include <string.h>

enum { kWindow = 256, kMostGroups = 65535 };  // columns that an offset of a byte reaches

// Is this a matrix that the format describes at all?
static int is_valid(int32_t rows, int32_t cols, int32_t block) {
  if (rows <= 0 || cols <= 0 || rows > INT32_MAX / cols) return 0;
  return (block == 1 || (block == 4 && cols % 4 == 0)) && cols / block <= 65536;
}

static int is_empty(const int8_t *at, int32_t block) {
  for (int32_t i = 0; i < block; ++i) {
    if (at[i] != 0) return 0;
  }
  return 1;
}

// Fills one group from column `from` on and returns the column behind its last one. `group`
// may be NULL.
static int32_t fill_group(const int8_t *row, int32_t from, int32_t cols, int32_t block,
                          uint8_t *group) {
  int32_t lane = 0, base = from;
  for (; from < cols && lane < SPK_LANES; from += block) {
    if (is_empty(row + from, block)) continue;
    if (lane == 0) base = from;
    if (block == 1 && from - base >= kWindow) break;
    if (group != NULL) {
      memcpy(group + spk_lanes_weights_at(block) + lane, row + from, (size_t)block);
      if (block == 1) {
        group[2 + lane] = (uint8_t)(from - base);
      } else {
        group[lane / 2] = (uint8_t)(from / 4 & 0xff);
        group[lane / 2 + 1] = (uint8_t)(from / 4 >> 8);
      }
    }
    lane += block;
  }
  if (group != NULL && block == 1 && lane > 0) {
    group[0] = (uint8_t)(base & 0xff);
    group[1] = (uint8_t)(base >> 8);
  }
  return from;
}

// Zeros that follow belong to no group.
static int32_t skip_zeros(const int8_t *row, int32_t from, int32_t cols, int32_t block) {
  while (from < cols && is_empty(row + from, block)) from += block;
  return from;
}

static int32_t row_groups(const int8_t *row, int32_t cols, int32_t block) {
  int32_t groups = 0, from = skip_zeros(row, 0, cols, block);
  for (; from < cols; from = skip_zeros(row, from, cols, block)) {
    from = fill_group(row, from, cols, block, NULL);
    ++groups;
  }
  return groups > 0 ? groups : 1;
}

// Returns 0 for arguments that no blob can hold.
size_t spk_lanes_s8_pack_size(const int8_t *dense, int32_t rows, int32_t cols, int32_t block) {
  if (dense == NULL || !is_valid(rows, cols, block)) return 0;
  size_t bytes = 0;
  for (int32_t r = 0; r < rows; ++r, dense += cols) {
    const int32_t groups = row_groups(dense, cols, block);
    if (groups > kMostGroups) return 0;
    bytes += SPK_LANES_HEADER + (size_t)groups * (size_t)spk_lanes_group_bytes(block);
  }
  return bytes;
}

spk_status spk_lanes_s8_pack(const int8_t *dense, int32_t rows, int32_t cols, int32_t block,
                             uint8_t *blob, size_t bytes) {
  if (dense == NULL || blob == NULL || !is_valid(rows, cols, block)) return SPK_ERR_ARGUMENT;
  const size_t needed = spk_lanes_s8_pack_size(dense, rows, cols, block);
  if (needed == 0) return SPK_ERR_UNSUPPORTED;  // a row that its count cannot describe
  if (bytes < needed) return SPK_ERR_SPACE;
  memset(blob, 0, needed);
  for (int32_t r = 0; r < rows; ++r, dense += cols) {
    const int32_t groups = row_groups(dense, cols, block);
    blob[0] = (uint8_t)(groups & 0xff);
    blob[1] = (uint8_t)(groups >> 8);
    blob += SPK_LANES_HEADER;
    int32_t from = 0;
    for (int32_t g = 0; g < groups; ++g, blob += spk_lanes_group_bytes(block)) {
      from = skip_zeros(dense, from, cols, block);
      from = fill_group(dense, from, cols, block, blob);
    }
  }
  return SPK_OK;
}

// Do the columns of a group exist, and ascend from *last on?
static int group_is_valid(const uint8_t *group, int32_t cols, int32_t block, int32_t *last) {
  for (int32_t lane = 0; lane < SPK_LANES; ++lane) {
    const int32_t column = spk_lanes_column(group, block, lane);
    if (column >= cols) return 0;
    if (group[spk_lanes_weights_at(block) + lane] == 0) continue;
    if (column <= *last) return 0;
    *last = column;
  }
  return 1;
}

spk_status spk_lanes_s8_check(const uint8_t *blob, size_t bytes, int32_t rows, int32_t cols,
                              int32_t block) {
  if (blob == NULL || !is_valid(rows, cols, block)) return SPK_ERR_ARGUMENT;
  const size_t group_bytes = (size_t)spk_lanes_group_bytes(block);
  size_t at = 0;
  for (int32_t r = 0; r < rows; ++r) {
    if (bytes - at < SPK_LANES_HEADER) return SPK_ERR_FORMAT;
    const size_t groups = (size_t)spk_lanes_u16(blob + at);
    at += SPK_LANES_HEADER;
    if (groups == 0 || (bytes - at) / group_bytes < groups) return SPK_ERR_FORMAT;
    int32_t last = -1;
    for (size_t g = 0; g < groups; ++g, at += group_bytes) {
      if (!group_is_valid(blob + at, cols, block, &last)) return SPK_ERR_FORMAT;
    }
  }
  return at == bytes ? SPK_OK : SPK_ERR_FORMAT;
}

spk_status spk_lanes_s8_unpack(const uint8_t *blob, size_t bytes, int32_t rows, int32_t cols,
                               int32_t block, int8_t *dense) {
  if (dense == NULL) return SPK_ERR_ARGUMENT;
  const spk_status status = spk_lanes_s8_check(blob, bytes, rows, cols, block);
  if (status != SPK_OK) return status;
  memset(dense, 0, (size_t)rows * (size_t)cols);
  for (int32_t r = 0; r < rows; ++r, dense += cols) {
    const int32_t groups = spk_lanes_u16(blob);
    blob += SPK_LANES_HEADER;
    for (int32_t g = 0; g < groups; ++g, blob += spk_lanes_group_bytes(block)) {
      for (int32_t lane = 0; lane < SPK_LANES; ++lane) {
        const int8_t weight = (int8_t)blob[spk_lanes_weights_at(block) + lane];
        if (weight != 0) dense[spk_lanes_column(blob, block, lane)] = weight;
      }
    }
  }
  return SPK_OK;
}
