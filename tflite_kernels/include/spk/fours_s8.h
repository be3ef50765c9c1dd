// Reading fours_s8 (see spk/formats.h).
#ifndef SPK_FOURS_S8_H_
#define SPK_FOURS_S8_H_

#include "spk/types.h"

typedef struct spk_fours_view {
  int32_t fours;
  const uint16_t *count;  // (rows,)
  const uint16_t *index;
  const uint32_t *weights;  // four int8 in each
} spk_fours_view;

static inline spk_fours_view spk_fours_of(const uint32_t *blob, int32_t rows, int32_t spread) {
  const int32_t fours = (int32_t)blob[0], indices = (fours + 1) * (spread ? 4 : 1);
  spk_fours_view v = {.fours = fours};
  v.count = (const uint16_t *)(const void *)(blob + 1);
  v.index = v.count + (rows + 1) / 2 * 2;
  v.weights = (const uint32_t *)(const void *)(v.index + (indices + 1) / 2 * 2);
  return v;
}

// Channels, four at a time.
static inline int32_t spk_channel_fours(int32_t channels) { return (channels + 3) / 4; }

#endif  // SPK_FOURS_S8_H_
