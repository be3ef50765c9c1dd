// CONV_2D, int16 activations and int8 weights: each window is gathered once, and all output
// channels are computed from it.
#include <string.h>

#include "spk/requantize_s16.h"

static int32_t columns(const spk_window2d *w) { return w->kernel_h * w->kernel_w * w->in_c; }

// Scratch: the sums of a pixel, its window.
size_t spk_conv2d_s16__c_scratch(const spk_window2d *w) {
  return (size_t)w->out_c * sizeof(int64_t) + (size_t)columns(w) * sizeof(int16_t);
}

static void gather(const spk_window2d *w, const int16_t *image, int32_t y, int32_t x,
                   int16_t *window) {
  const size_t bytes = (size_t)w->in_c * sizeof *window;
  for (int32_t ky = 0; ky < w->kernel_h; ++ky) {
    const int32_t in_y = y * w->stride_h - w->pad_top + ky * w->dilation_h;
    for (int32_t kx = 0; kx < w->kernel_w; ++kx, window += w->in_c) {
      const int32_t in_x = x * w->stride_w - w->pad_left + kx * w->dilation_w;
      if (in_y < 0 || in_y >= w->in_h || in_x < 0 || in_x >= w->in_w) {
        memset(window, 0, bytes);
      } else {
        memcpy(window, image + ((ptrdiff_t)in_y * w->in_w + in_x) * w->in_c, bytes);
      }
    }
  }
}

void spk_conv2d_s16__c(const spk_window2d *w, const spk_requant_s16 *q,
                       spk_sum_rows_s16 sum_rows, const void *weights, const int16_t *input,
                       int16_t *output, void *scratch) {
  int64_t *const sums = scratch;
  int16_t *const window = (int16_t *)(sums + w->out_c);
  const ptrdiff_t image = (ptrdiff_t)w->in_h * w->in_w * w->in_c;
  for (int32_t b = 0; b < w->batch; ++b, input += image) {
    for (int32_t y = 0; y < w->out_h; ++y) {
      for (int32_t x = 0; x < w->out_w; ++x) {
        gather(w, input, y, x, window);
        sum_rows(weights, w->out_c, columns(w), window, sums);
        for (int32_t c = 0; c < w->out_c; ++c) *output++ = spk_requantize_s16(sums[c], q, c);
      }
    }
  }
}
