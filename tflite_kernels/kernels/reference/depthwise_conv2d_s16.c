// DEPTHWISE_CONV_2D, int16 activations and int8 weights.
#include "spk/requantize_s16.h"

static int64_t window_sum(const spk_window2d *w, const int16_t *image, const int8_t *weights,
                          int32_t y, int32_t x) {
  int64_t acc = 0;
  for (int32_t ky = 0; ky < w->kernel_h; ++ky) {
    const int32_t in_y = y * w->stride_h - w->pad_top + ky * w->dilation_h;
    for (int32_t kx = 0; kx < w->kernel_w; ++kx, weights += w->out_c) {
      const int32_t in_x = x * w->stride_w - w->pad_left + kx * w->dilation_w;
      if (in_y < 0 || in_y >= w->in_h || in_x < 0 || in_x >= w->in_w) continue;
      acc += *weights * image[((ptrdiff_t)in_y * w->in_w + in_x) * w->in_c];
    }
  }
  return acc;
}

void spk_depthwise_conv2d_s16_dense__ref(const spk_window2d *w, const spk_requant_s16 *q,
                                         const int16_t *input, const int8_t *weights,
                                         int16_t *output) {
  const ptrdiff_t image = (ptrdiff_t)w->in_h * w->in_w * w->in_c;
  const int32_t multiplier = w->out_c / w->in_c;
  for (int32_t b = 0; b < w->batch; ++b, input += image) {
    for (int32_t y = 0; y < w->out_h; ++y) {
      for (int32_t x = 0; x < w->out_w; ++x) {
        for (int32_t c = 0; c < w->out_c; ++c) {
          const int64_t acc = window_sum(w, input + c / multiplier, weights + c, y, x);
          *output++ = spk_requantize_s16(acc, q, c);
        }
      }
    }
  }
}
