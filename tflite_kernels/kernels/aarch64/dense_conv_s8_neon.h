// Weights of dense int8 convolutions: eight rows stand together, `width` channels of each,
// filled up to a multiple of it for every tap.
//   int32 sum[groups * 8], int8 weights[groups][taps][channels / width][8][width]
#ifndef SPK_KERNELS_AARCH64_DENSE_CONV_S8_NEON_H_
#define SPK_KERNELS_AARCH64_DENSE_CONV_S8_NEON_H_

#include "kernels/aarch64/dense_f32_neon.h"

#define SPK_DENSE_S8_FUNCTIONS(width)                                                    \
  size_t spk_dense8x##width##_s8_pack_size(const spk_layer *layer, const void *weights); \
  spk_status spk_dense8x##width##_s8_pack(const spk_layer *layer, const void *weights,   \
                                          void *packed, size_t bytes);
SPK_DENSE_S8_FUNCTIONS(4)
SPK_DENSE_S8_FUNCTIONS(8)
#undef SPK_DENSE_S8_FUNCTIONS

// Bytes of the weights of one row.
static inline size_t spk_dense8_s8_row(const spk_layer *layer, size_t width) {
  const spk_window2d *w = &layer->window;
  const size_t taps = (size_t)w->kernel_h * (size_t)w->kernel_w;
  return taps * (((size_t)w->in_c + width - 1) / width * width);
}

#endif  // SPK_KERNELS_AARCH64_DENSE_CONV_S8_NEON_H_
