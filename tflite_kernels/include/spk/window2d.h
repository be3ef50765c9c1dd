// Where a pooling window meets its input.
#ifndef SPK_WINDOW2D_H_
#define SPK_WINDOW2D_H_

#include "spk/types.h"

typedef struct spk_span {
  int32_t begin, end;  // [begin, end)
} spk_span;

static inline spk_span spk_clipped(int32_t origin, int32_t length, int32_t limit) {
  const spk_span span = {origin < 0 ? 0 : origin,
                         origin + length > limit ? limit : origin + length};
  return span;
}

// Input rows under output row y, and input columns under output column x.
static inline spk_span spk_window_rows(const spk_window2d *w, int32_t y) {
  return spk_clipped(y * w->stride_h - w->pad_top, w->kernel_h, w->in_h);
}

static inline spk_span spk_window_cols(const spk_window2d *w, int32_t x) {
  return spk_clipped(x * w->stride_w - w->pad_left, w->kernel_w, w->in_w);
}

#endif  // SPK_WINDOW2D_H_
