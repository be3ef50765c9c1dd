// lanes_s8: sixteen int8 weights at a time, for vector units that gather, such as Arm's MVE.
//
// `block` is 1 or 4: the neighbouring columns that are kept together; with 4, `cols` is a
// multiple of 4. Each row is
//   uint16 little endian   count of groups, at least 1
//   count x group          block 1: { uint16 base, uint8 offset[16], int8 weight[16] }
//                          block 4: { uint16 index[4], int8 weight[4][4] }
// The columns of a group are base + offset[i], or 4 * index[i] .. 4 * index[i] + 3. They ascend
// from group to group; what a group has too few of are weights 0 in columns that exist. The
// whole is aligned to 2 bytes.
//
// The functions are those of every format, see spk/formats.h.
#ifndef SPK_LANES_S8_H_
#define SPK_LANES_S8_H_

#include "spk/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { SPK_LANES = 16, SPK_LANES_HEADER = 2 };

// Bytes of a group.
static inline int32_t spk_lanes_group_bytes(int32_t block) {
  return block == 1 ? 2 + 2 * SPK_LANES : 2 * SPK_LANES / 4 + SPK_LANES;
}

// Where the weights of a group begin in it.
static inline int32_t spk_lanes_weights_at(int32_t block) {
  return spk_lanes_group_bytes(block) - SPK_LANES;
}

static inline int32_t spk_lanes_u16(const uint8_t *at) { return at[0] | at[1] << 8; }

// The column of a lane.
static inline int32_t spk_lanes_column(const uint8_t *group, int32_t block, int32_t lane) {
  if (block == 1) return spk_lanes_u16(group) + group[2 + lane];
  return 4 * spk_lanes_u16(group + lane / 4 * 2) + lane % 4;
}

SPK_API size_t spk_lanes_s8_pack_size(const int8_t *dense, int32_t rows, int32_t cols,
                                      int32_t block);
SPK_API spk_status spk_lanes_s8_pack(const int8_t *dense, int32_t rows, int32_t cols,
                                     int32_t block, uint8_t *blob, size_t bytes);
SPK_API spk_status spk_lanes_s8_check(const uint8_t *blob, size_t bytes, int32_t rows,
                                      int32_t cols, int32_t block);
SPK_API spk_status spk_lanes_s8_unpack(const uint8_t *blob, size_t bytes, int32_t rows,
                                       int32_t cols, int32_t block, int8_t *dense);

#ifdef __cplusplus
}
#endif
#endif  // SPK_LANES_S8_H_
