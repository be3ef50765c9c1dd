// Weights of dense int8 convolutions: eight rows stand together, four channels of each, filled
// up to a multiple of four for every tap.
//   int32 sum[groups * 8], int8 weights[groups][taps][channels / 4][8][4]
#ifndef SPK_KERNELS_AARCH64_DENSE_CONV_S8_NEON_H_
#define SPK_KERNELS_AARCH64_DENSE_CONV_S8_NEON_H_

#include "kernels/aarch64/dense_f32_neon.h"

size_t spk_dense8x4_s8_pack_size(const spk_layer *layer, const void *weights);
spk_status spk_dense8x4_s8_pack(const spk_layer *layer, const void *weights, void *packed,
                                size_t bytes);

// Bytes of the weights of one row.
static inline size_t spk_dense8x4_s8_row(const spk_layer *layer) {
  const spk_window2d *w = &layer->window;
  return (size_t)w->kernel_h * (size_t)w->kernel_w * (((size_t)w->in_c + 3) & ~(size_t)3);
}

#endif  // SPK_KERNELS_AARCH64_DENSE_CONV_S8_NEON_H_
