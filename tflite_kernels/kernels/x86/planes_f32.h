// float32 convolutions on planes (planes.h) of one channel.
#ifndef SPK_KERNELS_X86_PLANES_F32_H_
#define SPK_KERNELS_X86_PLANES_F32_H_

#include "kernels/x86/planes.h"

// A sparse convolution. `packed` is blocks_f32 of height 1, 2 or 4; its columns are offsets
// from `at` of the input tile. The last group writes whole blocks: up to three channels behind
// the last one. Results are clamped to [act_min, act_max]; NaN stays NaN.
typedef struct spk_planes_conv2d {
  const void *packed;
  const float *bias;  // padded with zeros to a multiple of 4, or NULL
  int32_t rows;       // height of a block
  int32_t channels;
  float act_min, act_max;
} spk_planes_conv2d;

// A depthwise convolution: channel c has `taps` weights at weights + c * taps.
typedef struct spk_planes_depthwise {
  const float *weights, *bias;
  const int32_t *offset;  // (taps,)
  int32_t taps, channels;
  float act_min, act_max;
} spk_planes_depthwise;

#endif  // SPK_KERNELS_X86_PLANES_F32_H_
