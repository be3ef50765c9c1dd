#include "kernels/aarch64/dense_conv_s8_neon.h"

#include <string.h>

static size_t pack_size(const spk_layer *layer, size_t width) {
  const size_t rows = (size_t)spk_dense8_units(layer) * kSpkDenseRows;
  return rows * (sizeof(int32_t) + spk_dense8_s8_row(layer, width));
}

static spk_status pack(const spk_layer *layer, const int8_t *from, size_t width, void *packed,
                       size_t bytes) {
  const size_t needed = pack_size(layer, width);
  if (bytes < needed) return SPK_ERR_SPACE;
  memset(packed, 0, needed);
  const spk_window2d *w = &layer->window;
  const size_t taps = (size_t)w->kernel_h * (size_t)w->kernel_w, channels = (size_t)w->in_c;
  const size_t row = spk_dense8_s8_row(layer, width), tap_row = row / taps;
  uint32_t *sum = packed;  // modulo 2^32, like the accumulators
  int8_t *to = (int8_t *)(sum + (size_t)spk_dense8_units(layer) * kSpkDenseRows);
  for (size_t r = 0; r < (size_t)w->out_c; ++r) {
    int8_t *group = to + r / kSpkDenseRows * kSpkDenseRows * row + r % kSpkDenseRows * width;
    for (size_t tap = 0; tap < taps; ++tap, group += kSpkDenseRows * tap_row) {
      for (size_t c = 0; c < channels; ++c, ++from) {
        sum[r] += (uint32_t)(int32_t)*from;
        group[c / width * width * kSpkDenseRows + c % width] = *from;
      }
    }
  }
  return SPK_OK;
}

#define SPK_DENSE_S8_FUNCTIONS(width)                                                     \
  size_t spk_dense8x##width##_s8_pack_size(const spk_layer *layer, const void *weights) { \
    (void)weights;                                                                        \
    return pack_size(layer, width);                                                       \
  }                                                                                       \
  spk_status spk_dense8x##width##_s8_pack(const spk_layer *layer, const void *weights,    \
                                          void *packed, size_t bytes) {                   \
    return pack(layer, weights, width, packed, bytes);                                    \
  }
SPK_DENSE_S8_FUNCTIONS(4)
SPK_DENSE_S8_FUNCTIONS(8)
