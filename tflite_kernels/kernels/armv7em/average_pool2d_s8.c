// AVERAGE_POOL_2D, int8, for Cortex-M4, M7 and M33: the sums of four channels at a time.
#include "spk/kernels_s8.h"
#include "spk/sum_pixels_s8.h"

#if SPK_ARMV7EM

#include "spk/requantize_s8.h"
#include "spk/window2d.h"

// What the outputs of a pixel share.
typedef struct average {
  int32_t count, half, act_min, act_max;
} average;

// Ties go away from zero.
SPK_INLINE int8_t of(const average *a, int32_t sum) {
  const int32_t mean = (sum > 0 ? sum + a->half : sum - a->half) / a->count;
  return (int8_t)spk_clamp(mean, a->act_min, a->act_max);
}

static void average_window(const average *a, const int8_t *from, int32_t rows, int32_t row,
                           int32_t cols, int32_t depth, int8_t *output) {
  const int32_t at_once = SPK_SUM_RUN / cols;  // rows
  int32_t c = 0;
  for (; at_once > 0 && c + 4 <= depth; c += 4) {
    int32_t sum[4] = {0};
    for (int32_t y = 0; y < rows; y += at_once) {
      const int32_t left = rows - y;
      spk_sum_four_s8(from + c + y * row, left < at_once ? left : at_once, row, cols, depth,
                      sum);
    }
    for (int32_t i = 0; i < 4; ++i) output[c + i] = of(a, sum[i]);
  }
  for (; c < depth; ++c) output[c] = of(a, spk_sum_one_s8(from + c, rows, row, cols, depth));
}

void spk_average_pool2d_s8__armv7em(const spk_window2d *w, int32_t act_min, int32_t act_max,
                                    const int8_t *input, int8_t *output) {
  const int32_t depth = w->in_c, row = w->in_w * depth;
  for (int32_t b = 0; b < w->batch; ++b, input += (ptrdiff_t)w->in_h * row) {
    for (int32_t y = 0; y < w->out_h; ++y) {
      const spk_span high = spk_window_rows(w, y);
      const int8_t *const first = input + (ptrdiff_t)high.begin * row;
      for (int32_t x = 0; x < w->out_w; ++x, output += depth) {
        const spk_span wide = spk_window_cols(w, x);
        const int32_t rows = high.end - high.begin, cols = wide.end - wide.begin;
        const average a = {rows * cols, rows * cols / 2, act_min, act_max};
        average_window(&a, first + (ptrdiff_t)wide.begin * depth, rows, row, cols, depth,
                       output);
      }
    }
  }
}

#else

void spk_average_pool2d_s8__armv7em(const spk_window2d *w, int32_t act_min, int32_t act_max,
                                    const int8_t *input, int8_t *output) {
  spk_average_pool2d_s8__ref(w, act_min, act_max, input, output);
}

#endif
