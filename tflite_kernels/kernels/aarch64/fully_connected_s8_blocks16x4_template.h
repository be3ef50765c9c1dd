// Sparse int8 FULLY_CONNECTED whose rows share their columns, four at a time, for one way to
// multiply. The including file defines TARGET, SUM, ZERO(), DOT_LANE(sum, x, weights, lane),
// TOTAL(sum) and NAME(x). One unit of work is one group of sixteen rows.
#include <arm_neon.h>
#include <string.h>

#include "formats/row_blocks_s8.h"
#include "kernels/aarch64/fully_connected_s8_neon.h"
#include "kernels/aarch64/kernels_aarch64.h"
#include "kernels/aarch64/row_blocks_aarch64.h"

// Four inputs in lane 0.
TARGET static inline int8x16_t NAME(load4)(const int8_t *input) {
  uint32_t word;
  memcpy(&word, input, sizeof(word));
  int8x16_t x = vreinterpretq_s8_u32(vsetq_lane_u32(word, vdupq_n_u32(0), 0));
  __asm__("" : "+w"(x));  // loaded as it is: a copy to all lanes would need an address
  return x;
}

TARGET static inline void NAME(group_sum)(const uint16_t *column, const int8_t *weights,
                                          uint32_t count, const int8_t *input,
                                          int32x4_t *total) {
  SUM sum[4] = {ZERO(), ZERO(), ZERO(), ZERO()};
#pragma GCC unroll 4
  for (uint32_t b = 0; b < count; ++b, weights += 64) {
    const int8x16_t x = NAME(load4)(input + column[b]);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) sum[i] = DOT_LANE(sum[i], x, vld1q_s8(weights + 16 * i), 0);
  }
  for (int i = 0; i < 4; ++i) total[i] = TOTAL(sum[i]);
}

TARGET static void NAME(run)(const spk_args *args) {
  const spk_layer *layer = args->layer;
  const spk_row_blocks_s8_view view = spk_row_blocks_s8_view_of(args->packed);
  for (int32_t b = 0; b < layer->window.batch; ++b) {
    const int8_t *input = spk_padded_input(args, b);
    int8_t *output = (int8_t *)args->output + (size_t)b * layer->window.out_c;
    for (int32_t group = args->begin; group < args->end; ++group) {
      const uint32_t first = view.first[group];
      int32x4_t total[4];
      NAME(group_sum)(view.column + first, view.weights + (size_t)first * 64,
                      view.first[group + 1] - first, input, total);
      spk_finish_rows_neon(layer, group * kSpkRows, view.sum + group * kSpkRows, total, output);
    }
  }
}
