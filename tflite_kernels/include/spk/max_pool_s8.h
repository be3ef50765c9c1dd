// MAX_POOL_2D, int8: the walk over windows. A line is all channels of a pixel; a kernel takes
// the largest of four lines at a time.
#ifndef SPK_MAX_POOL_S8_H_
#define SPK_MAX_POOL_S8_H_

#include "spk/requantize_s8.h"
#include "spk/window2d.h"

// output[] = the largest of four lines. Some may be the same, or be `output`.
typedef void spk_max_lines_s8(const int8_t *a, const int8_t *b, const int8_t *c,
                              const int8_t *d, int32_t count, int8_t *output);

// Up to 2x2 pixels at once, else three of a row with what was the largest so far.
SPK_INLINE void spk_max_window_s8(const int8_t *from, int32_t rows, int32_t row, int32_t cols,
                                  int32_t depth, int8_t *output, spk_max_lines_s8 *lines) {
  if (rows <= 2 && cols <= 2) {
    const int8_t *const right = from + (cols - 1) * depth;
    const int32_t below = (rows - 1) * row;
    lines(from, right, from + below, right + below, depth, output);
    return;
  }
  const int8_t *best = from;
  for (int32_t y = 0; y < rows; ++y, from += row) {
    const int8_t *const last = from + (cols - 1) * depth;
    for (const int8_t *a = from; a <= last; a += 3 * depth) {
      const int8_t *const b = a < last ? a + depth : a, *const c = b < last ? b + depth : b;
      lines(a, b, c, best, depth, output);
      best = output;
    }
  }
}

SPK_INLINE void spk_max_windows_s8(const spk_window2d *w, int32_t act_min, int32_t act_max,
                                   const int8_t *input, int8_t *output,
                                   spk_max_lines_s8 *lines) {
  const int32_t depth = w->in_c, row = w->in_w * depth;
  int8_t *to = output;
  for (int32_t b = 0; b < w->batch; ++b, input += (ptrdiff_t)w->in_h * row) {
    for (int32_t y = 0; y < w->out_h; ++y) {
      const spk_span rows = spk_window_rows(w, y);
      const int8_t *const first = input + (ptrdiff_t)rows.begin * row;
      for (int32_t x = 0; x < w->out_w; ++x, to += depth) {
        const spk_span cols = spk_window_cols(w, x);
        spk_max_window_s8(first + (ptrdiff_t)cols.begin * depth, rows.end - rows.begin, row,
                          cols.end - cols.begin, depth, to, lines);
      }
    }
  }
  if (act_min == INT8_MIN && act_max == INT8_MAX) return;
  for (; output < to; ++output) *output = (int8_t)spk_clamp(*output, act_min, act_max);
}

#endif  // SPK_MAX_POOL_S8_H_
