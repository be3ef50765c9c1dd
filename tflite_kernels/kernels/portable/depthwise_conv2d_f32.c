// DEPTHWISE_CONV_2D, float32.
#include "spk/operators_f32.h"

// Adds one tap to all channels of an output pixel.
static void add_tap(const spk_window2d *w, int32_t multiplier, const float *pixel,
                    const float *weights, float *sums) {
  if (multiplier == 1) {
    for (int32_t c = 0; c < w->out_c; ++c) sums[c] += pixel[c] * weights[c];
    return;
  }
  for (int32_t c = 0; c < w->in_c; ++c, weights += multiplier, sums += multiplier) {
    for (int32_t m = 0; m < multiplier; ++m) sums[m] += pixel[c] * weights[m];
  }
}

static void add_taps(const spk_window2d *w, int32_t y, int32_t x, const float *image,
                     const float *weights, float *sums) {
  const int32_t multiplier = w->out_c / w->in_c;
  for (int32_t ky = 0; ky < w->kernel_h; ++ky) {
    const int32_t in_y = y * w->stride_h + ky * w->dilation_h - w->pad_top;
    for (int32_t kx = 0; kx < w->kernel_w; ++kx, weights += w->out_c) {
      const int32_t in_x = x * w->stride_w + kx * w->dilation_w - w->pad_left;
      if (in_y < 0 || in_y >= w->in_h || in_x < 0 || in_x >= w->in_w) continue;
      add_tap(w, multiplier, image + ((ptrdiff_t)in_y * w->in_w + in_x) * w->in_c, weights,
              sums);
    }
  }
}

void spk_depthwise_conv2d_f32__c(const spk_window2d *w, float act_min, float act_max,
                                 const float *input, const float *weights, const float *bias,
                                 float *output) {
  const ptrdiff_t image = (ptrdiff_t)w->in_h * w->in_w * w->in_c;
  for (int32_t b = 0; b < w->batch; ++b, input += image) {
    for (int32_t y = 0; y < w->out_h; ++y) {
      for (int32_t x = 0; x < w->out_w; ++x, output += w->out_c) {
        for (int32_t c = 0; c < w->out_c; ++c) output[c] = bias != NULL ? bias[c] : 0.0f;
        add_taps(w, y, x, input, weights, output);
        for (int32_t c = 0; c < w->out_c; ++c) {
          output[c] = output[c] < act_min ? act_min : output[c] > act_max ? act_max : output[c];
        }
      }
    }
  }
}
