// Dense int8 FULLY_CONNECTED, for one way to multiply: what the sparse kernels are compared
// with. The including file defines TARGET, SUM, ZERO(), DOT_LANE(sum, x, weights, lane),
// TOTAL(sum) and NAME(x). One unit of work is one group of sixteen rows.
#include <arm_neon.h>
#include <string.h>

#include "kernels/aarch64/fully_connected_s8_neon.h"
#include "kernels/aarch64/kernels_aarch64.h"
#include "kernels/aarch64/row_blocks_aarch64.h"

#define ADD_COLUMNS(lane)                                      \
  _Pragma("GCC unroll 4") for (int i = 0; i < 4; ++i) sum[i] = \
      DOT_LANE(sum[i], x, vld1q_s8(weights + 64 * lane + 16 * i), lane)

TARGET static inline void NAME(group_sum)(const int8_t *weights, int32_t cols,
                                          const int8_t *input, int32x4_t *total) {
  SUM sum[4] = {ZERO(), ZERO(), ZERO(), ZERO()};
  int32_t c = 0;
  for (; c + 16 <= cols; c += 16, weights += 256) {
    const int8x16_t x = vld1q_s8(input + c);
    ADD_COLUMNS(0);
    ADD_COLUMNS(1);
    ADD_COLUMNS(2);
    ADD_COLUMNS(3);
  }
  for (; c < cols; c += 4, weights += 64) {
    const int8x16_t x = vreinterpretq_s8_s32(vld1q_dup_s32((const void *)(input + c)));
    ADD_COLUMNS(0);
  }
  for (int i = 0; i < 4; ++i) total[i] = TOTAL(sum[i]);
}

TARGET static void NAME(run)(const spk_args *args) {
  const spk_layer *layer = args->layer;
  const int32_t cols = spk_padded_cols(layer);
  const int32_t *weight_sum = args->packed;
  const int8_t *weights = (const int8_t *)(weight_sum + spk_rows16_units(layer) * kSpkRows);
  for (int32_t b = 0; b < layer->window.batch; ++b) {
    const int8_t *input = spk_padded_input(args, b);
    int8_t *output = (int8_t *)args->output + (size_t)b * layer->window.out_c;
    for (int32_t group = args->begin; group < args->end; ++group) {
      const size_t row = (size_t)group * kSpkRows;
      int32x4_t total[4];
      NAME(group_sum)(weights + row * (size_t)cols, cols, input, total);
      spk_finish_rows_neon(layer, (int32_t)row, weight_sum + row, total, output);
    }
  }
}
