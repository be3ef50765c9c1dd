#include "kernels/aarch64/dense_f32_neon.h"

#include <string.h>

int32_t spk_dense8_units(const spk_layer *layer) {
  return (layer->window.out_c - 1) / kSpkDenseRows + 1;
}

size_t spk_dense8_f32_pack_size(const spk_layer *layer, const void *weights) {
  (void)weights;
  const size_t rows = (size_t)spk_dense8_units(layer) * kSpkDenseRows;
  return rows * (size_t)spk_layer_cols(layer) * sizeof(float);
}

spk_status spk_dense8_f32_pack(const spk_layer *layer, const void *weights, void *packed,
                               size_t bytes) {
  const size_t needed = spk_dense8_f32_pack_size(layer, weights);
  if (bytes < needed) return SPK_ERR_SPACE;
  memset(packed, 0, needed);
  const size_t cols = (size_t)spk_layer_cols(layer), rows = (size_t)layer->window.out_c;
  const float *from = weights;
  for (size_t r = 0; r < rows; ++r) {
    float *to = (float *)packed + r / kSpkDenseRows * kSpkDenseRows * cols + r % kSpkDenseRows;
    for (size_t c = 0; c < cols; ++c) to[c * kSpkDenseRows] = *from++;
  }
  return SPK_OK;
}

static size_t padding_bytes(const spk_layer *layer, size_t element) {
  return ((size_t)layer->window.in_c * element + 63) & ~(size_t)63;
}

size_t spk_dense_conv_scratch(const spk_layer *layer) {
  const size_t taps = (size_t)layer->window.kernel_h * (size_t)layer->window.kernel_w;
  return padding_bytes(layer, layer->dtype == SPK_F32 ? sizeof(float) : 1) +
         taps * kSpkDensePixels * sizeof(void *);
}

int32_t spk_dense_conv_units(const spk_layer *layer) {
  const spk_window2d *w = &layer->window;
  return (w->batch * w->out_h * w->out_w - 1) / kSpkDensePixels + 1;
}

const void **spk_dense_conv_pixels(const spk_args *args, size_t element, int padding,
                                   int32_t unit) {
  const spk_window2d *w = &args->layer->window;
  const int32_t count = spk_dense_conv_count(args->layer, unit);
  const size_t pixel = (size_t)w->in_c * element, row = (size_t)w->in_w * pixel;
  uint8_t *outside = memset(args->scratch, padding, pixel);
  const void **pixels = (const void **)(void *)(outside + padding_bytes(args->layer, element));
  for (int32_t p = 0; p < kSpkDensePixels; ++p) {
    const int32_t output = unit * kSpkDensePixels + (p < count ? p : count - 1);
    const int32_t line = output / w->out_w, image = line / w->out_h;
    const int32_t y = line % w->out_h * w->stride_h - w->pad_top;
    const int32_t x = output % w->out_w * w->stride_w - w->pad_left;
    const uint8_t *from = (const uint8_t *)args->input + (size_t)image * row * w->in_h;
    for (int32_t ky = 0, tap = 0; ky < w->kernel_h; ++ky) {
      const int32_t in_y = y + ky * w->dilation_h;
      for (int32_t kx = 0; kx < w->kernel_w; ++kx, ++tap) {
        const int32_t in_x = x + kx * w->dilation_w;
        const int exists = in_y >= 0 && in_y < w->in_h && in_x >= 0 && in_x < w->in_w;
        pixels[tap * kSpkDensePixels + p] =
            exists ? from + (size_t)in_y * row + (size_t)in_x * pixel : outside;
      }
    }
  }
  return pixels;
}
