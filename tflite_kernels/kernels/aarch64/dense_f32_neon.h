// Dense float32 kernels, which the sparse ones are compared with: weights of eight rows stand
// together, (groups, cols, 8), and inputs are taken by lane.
#ifndef SPK_KERNELS_AARCH64_DENSE_F32_NEON_H_
#define SPK_KERNELS_AARCH64_DENSE_F32_NEON_H_

#include "spk/layer.h"

enum { kSpkDenseRows = 8, kSpkDensePixels = 8 };

size_t spk_dense8_f32_pack_size(const spk_layer *layer, const void *weights);
spk_status spk_dense8_f32_pack(const spk_layer *layer, const void *weights, void *packed,
                               size_t bytes);

// FULLY_CONNECTED: a unit is a group of eight rows.
int32_t spk_dense8_units(const spk_layer *layer);

// Convolutions: a unit is eight neighbouring outputs, through all rows and images. Scratch: a
// pixel of padding, and where the taps of eight outputs find their inputs.
size_t spk_dense_conv_scratch(const spk_layer *layer);
int32_t spk_dense_conv_units(const spk_layer *layer);

// The input pixels of a unit, (taps, 8); outputs beyond the last are the last again. Fills the
// padding with `padding`.
const void **spk_dense_conv_pixels(const spk_args *args, size_t element, int padding,
                                   int32_t unit);

// Outputs of a unit that exist.
static inline int32_t spk_dense_conv_count(const spk_layer *layer, int32_t unit) {
  const spk_window2d *w = &layer->window;
  const int32_t rest = w->batch * w->out_h * w->out_w - unit * kSpkDensePixels;
  return rest < kSpkDensePixels ? rest : kSpkDensePixels;
}

#endif  // SPK_KERNELS_AARCH64_DENSE_F32_NEON_H_
