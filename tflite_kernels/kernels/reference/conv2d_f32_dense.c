// output[b][y][x][o] = clamp(bias[o] + sum over (ky, kx, c) of
//   input[b][y * stride_h + ky * dilation_h - pad_top][x * ...][c] * weights[o][ky][kx][c])
#include "spk/kernels_f32.h"

// The sum for one output channel at one output pixel; taps outside the input count as zero.
static float window_sum(const spk_window2d *w, const float *image, const float *weights,
                        int32_t y, int32_t x) {
  float sum = 0.0f;
  for (int32_t ky = 0; ky < w->kernel_h; ++ky) {
    const int32_t in_y = y * w->stride_h + ky * w->dilation_h - w->pad_top;
    if (in_y < 0 || in_y >= w->in_h) continue;
    for (int32_t kx = 0; kx < w->kernel_w; ++kx) {
      const int32_t in_x = x * w->stride_w + kx * w->dilation_w - w->pad_left;
      if (in_x < 0 || in_x >= w->in_w) continue;
      const float *pixel = image + ((ptrdiff_t)in_y * w->in_w + in_x) * w->in_c;
      const float *tap = weights + ((ptrdiff_t)ky * w->kernel_w + kx) * w->in_c;
      for (int32_t c = 0; c < w->in_c; ++c) sum += pixel[c] * tap[c];
    }
  }
  return sum;
}

void spk_conv2d_f32_dense__ref(const spk_args *args) {
  const spk_layer *layer = args->layer;
  const spk_window2d *w = &layer->window;
  const float *bias = layer->bias;
  const ptrdiff_t cols = spk_layer_cols(layer);
  for (int32_t b = args->begin; b < args->end; ++b) {
    const float *image =
        (const float *)args->input + (ptrdiff_t)b * w->in_h * w->in_w * w->in_c;
    float *output = (float *)args->output + (ptrdiff_t)b * w->out_h * w->out_w * w->out_c;
    for (int32_t y = 0; y < w->out_h; ++y) {
      for (int32_t x = 0; x < w->out_w; ++x) {
        for (int32_t o = 0; o < w->out_c; ++o) {
          const float *weights = (const float *)args->packed + o * cols;
          float sum = window_sum(w, image, weights, y, x);
          if (bias) sum += bias[o];
          sum = sum < layer->act_min ? layer->act_min : sum;
          *output++ = sum > layer->act_max ? layer->act_max : sum;
        }
      }
    }
  }
}
