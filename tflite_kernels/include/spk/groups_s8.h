// What packers and kernels of groups_s8 share (see spk/formats.h).
#ifndef SPK_GROUPS_S8_H_
#define SPK_GROUPS_S8_H_

#include "spk/requantize_s8.h"

// Columns of a unit: 16 groups of 4, or 8 groups of 8.
enum { SPK_UNIT_COLUMNS = 64 };

// Groups 4q .. 4q + 3 have their places in bytes 0 .. 3, at bit 2q (m = 4) or 4q (m = 8).
SPK_INLINE int32_t spk_group_shift(int32_t group, int32_t m) {
  return group / 4 * (m == 4 ? 2 : 4);
}

// Which input of the group has the weight.
SPK_INLINE int32_t spk_group_place(const uint8_t *unit, int32_t group, int32_t m) {
  return unit[group % 4] >> spk_group_shift(group, m) & (m - 1);
}

// acc + the first `groups` groups of a unit.
SPK_INLINE uint32_t spk_add_groups(const int8_t *x, const uint8_t *unit, int32_t groups,
                                   int32_t m, uint32_t acc) {
  for (int32_t g = 0; g < groups; ++g, x += m) {
    acc += (uint32_t)(x[spk_group_place(unit, g, m)] * (int8_t)unit[4 + g]);
  }
  return acc;
}

#endif  // SPK_GROUPS_S8_H_
