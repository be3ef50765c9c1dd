// Sparse int8 FULLY_CONNECTED by look-up in a table of 64 inputs, for one way to multiply. The
// including file defines TARGET, SUM, ZERO(), DOT(sum, x, weights), TOTAL(sum) and NAME(x). One
// unit of work is one group of sixteen rows.
#include <arm_neon.h>

#include "kernels/aarch64/fully_connected_s8_neon.h"
#include "kernels/aarch64/kernels_aarch64.h"
#include "kernels/aarch64/windows_aarch64.h"

TARGET static inline void NAME(group_sum)(const spk_windows_view *view, int32_t group,
                                          const int8_t *input, int32x4_t *total) {
  SUM sum[4] = {ZERO(), ZERO(), ZERO(), ZERO()};
  const uint32_t first = view->first_step[group], end = view->first_step[group + 1];
  const uint8_t *index = view->index + (size_t)first * 64;
  const int8_t *weights = (const int8_t *)view->weights + (size_t)first * 64;
  for (uint32_t step = first; step < end; ++step, index += 64, weights += 64) {
    const int8_t *x = input + view->start[step];
    const int8x16x4_t table = {
        {vld1q_s8(x), vld1q_s8(x + 16), vld1q_s8(x + 32), vld1q_s8(x + 48)}};
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i)
      sum[i] =
          DOT(sum[i], vqtbl4q_s8(table, vld1q_u8(index + 16 * i)), vld1q_s8(weights + 16 * i));
  }
  for (int i = 0; i < 4; ++i) total[i] = TOTAL(sum[i]);
}

TARGET static void NAME(run)(const spk_args *args) {
  const spk_layer *layer = args->layer;
  const spk_windows_view view = spk_windows_view_of(args->packed);
  for (int32_t b = 0; b < layer->window.batch; ++b) {
    const int8_t *input = spk_windows_neon_input(args, &kSpkWindowsS8Neon, b);
    int8_t *output = (int8_t *)args->output + (size_t)b * layer->window.out_c;
    for (int32_t group = args->begin; group < args->end; ++group) {
      int32x4_t total[4];
      NAME(group_sum)(&view, group, input, total);
      spk_finish_rows_neon(layer, group * kSpkRows, view.sum + group * kSpkRows, total, output);
    }
  }
}
