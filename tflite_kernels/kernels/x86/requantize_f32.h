// Requantisation in float32, where it is exact.
//
// round(sum * scale + offset), one multiplication and one rounding, differs from the reference
// only near the sums at which the result steps from one number to the next, of which there are
// 255 at most. Both functions rise, so that they are equal for all sums if they are equal on
// both sides of each of these steps, and at both ends of what the weights can sum up to: that
// is looked at when they are packed, for the nearest scale and then for its neighbours. The
// reference rounds negative sums in another way, so that these have an offset of their own. A
// channel that was pruned away has one sum only, its bias, and mostly a scale so small that no
// other way takes it.
#ifndef SPK_KERNELS_X86_REQUANTIZE_F32_H_
#define SPK_KERNELS_X86_REQUANTIZE_F32_H_

#include "spk/layer.h"

typedef struct spk_scale_f32 {
  float scale;          // 0 where no offsets are exact
  float offset, below;  // for sums from 0 on, and for negative sums
} spk_scale_f32;

// All sums that a channel can have.
typedef struct spk_sum_range {
  int64_t least, most;
} spk_sum_range;

typedef struct spk_channel_sums {
  spk_sum_range range;
  int32_t weights;  // their sum
} spk_channel_sums;

// What the weights of a channel, one each `stride`, and its bias can sum up to.
spk_channel_sums spk_sums_of_channel(const spk_layer *layer, const int8_t *weights,
                                     int32_t stride, int32_t channel);

// For a channel of a convolution.
spk_scale_f32 spk_find_scale_f32(const spk_requant *q, int32_t channel,
                                 const spk_sum_range *range);

#endif  // SPK_KERNELS_X86_REQUANTIZE_F32_H_
