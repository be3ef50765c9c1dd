// eights_s8: the rows of lanes_s8 eight by eight, those of about one length together.
#include "spk/eights_s8.h"

#include <string.h>

typedef struct eight {
  uint8_t *at;     // NULL: nothing is written
  int32_t filled;  // rows in it
  int32_t groups;  // of its first row, which is the longest
  size_t bytes;    // of it and all before
} eight;

static void put_u16(uint8_t *at, int32_t value) {
  at[0] = (uint8_t)(value & 0xff);
  at[1] = (uint8_t)(value >> 8);
}

// `row` begins with its count of groups.
static void add_row(eight *e, int32_t r, const uint8_t *row, int32_t block) {
  const int32_t groups = spk_lanes_u16(row);
  const size_t group_bytes = (size_t)spk_lanes_group_bytes(block);
  if (e->filled == SPK_EIGHT || e->groups == 0) {
    const size_t eight_bytes = SPK_EIGHTS_HEADER + (size_t)groups * SPK_EIGHT * group_bytes;
    if (e->at != NULL && e->groups > 0) {
      e->at += SPK_EIGHTS_HEADER + (size_t)e->groups * SPK_EIGHT * group_bytes;
    }
    e->filled = 0;
    e->groups = groups;
    e->bytes += eight_bytes;
    if (e->at != NULL) {
      memset(e->at, 0, eight_bytes);
      put_u16(e->at, groups);
    }
  }
  if (e->at != NULL) {
    put_u16(e->at + 2 + 2 * e->filled, r);
    uint8_t *group = e->at + SPK_EIGHTS_HEADER + (size_t)e->filled * group_bytes;
    for (int32_t g = 0; g < groups; ++g, group += SPK_EIGHT * group_bytes) {
      memcpy(group, row + SPK_LANES_HEADER + (size_t)g * group_bytes, group_bytes);
    }
  }
  ++e->filled;
}

// Adds the rows of so many groups; returns the next smaller count, or 0.
static int32_t add_rows(eight *e, const uint8_t *lanes, int32_t rows, int32_t block,
                        int32_t groups, const uint8_t **last, int32_t *last_row) {
  int32_t next = 0;
  for (int32_t r = 0; r < rows; ++r) {
    const int32_t count = spk_lanes_u16(lanes);
    if (count < groups && count > next) next = count;
    if (count == groups) {
      add_row(e, r, lanes, block);
      *last = lanes;
      *last_row = r;
    }
    lanes += SPK_LANES_HEADER + (size_t)count * (size_t)spk_lanes_group_bytes(block);
  }
  return next;
}

static size_t pack(const uint8_t *lanes, int32_t rows, int32_t block, uint8_t *blob) {
  eight e = {.at = blob};
  const uint8_t *last = lanes;
  int32_t last_row = 0;
  int32_t groups = add_rows(&e, lanes, rows, block, INT32_MAX, &last, &last_row);
  while (groups > 0) groups = add_rows(&e, lanes, rows, block, groups, &last, &last_row);
  while (e.filled < SPK_EIGHT) add_row(&e, last_row, last, block);
  return e.bytes;
}

static int is_valid(const uint8_t *lanes, int32_t rows, int32_t block) {
  return lanes != NULL && rows > 0 && rows <= 65536 && (block == 1 || block == 4);
}

// Returns 0 for arguments that no blob can hold.
size_t spk_eights_s8_pack_size(const uint8_t *lanes, int32_t rows, int32_t block) {
  return is_valid(lanes, rows, block) ? pack(lanes, rows, block, NULL) : 0;
}

spk_status spk_eights_s8_pack(const uint8_t *lanes, int32_t rows, int32_t block, uint8_t *blob,
                              size_t bytes) {
  if (blob == NULL || !is_valid(lanes, rows, block)) return SPK_ERR_ARGUMENT;
  if (bytes < pack(lanes, rows, block, NULL)) return SPK_ERR_SPACE;
  pack(lanes, rows, block, blob);
  return SPK_OK;
}
