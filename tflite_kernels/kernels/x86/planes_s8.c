#include "kernels/x86/planes_s8.h"

#include <string.h>

#include "kernels/x86/depthwise_s8.h"

enum { kLanes = 16 };

size_t spk_planes_depthwise_s8_bytes(const spk_layer *layer) {
  return (size_t)layer->window.out_c / kSpkFour *
         (sizeof(spk_planes_taps_s8) + kLanes * kSpkDepthwiseEndBytes);
}

void spk_planes_depthwise_s8_pack(const spk_layer *layer, const int8_t *weights,
                                  spk_planes_taps_s8 *packed) {
  const size_t channels = (size_t)layer->window.out_c, planes = channels / kSpkFour;
  memset(packed, 0, spk_planes_depthwise_s8_bytes(layer));
  const spk_depthwise_ends ends = spk_depthwise_ends_of(packed + planes, planes * kLanes);
  for (size_t c = 0; c < channels; ++c) {
    const size_t at = c / kSpkFour * kLanes, i = c % kSpkFour;
    spk_depthwise_fill_end(layer, weights, (int32_t)c, &ends, at + i);
    for (size_t lane = i + kSpkFour; lane < kLanes; lane += kSpkFour)
      spk_depthwise_copy_end(&ends, at + i, at + lane);
    spk_planes_taps_s8 *plane = &packed[c / kSpkFour];
    for (size_t tap = 0; tap < 9; ++tap)
      plane->weights[tap % 3][i][tap / 3] = weights[tap * channels + c];
    // Modulo 2^32 like all sums.
    plane->first[i] =
        (int32_t)((uint32_t)ends.bias[at + i] +
                  (uint32_t)ends.sum[at + i] * (uint32_t)(layer->requant.input_offset - 128));
    plane->scale[i] = ends.scale[at + i];
    plane->offset[i] = ends.offset[at + i];
    plane->below[i] = ends.below[at + i];
    plane->is_exact = (i == 0 || plane->is_exact) && plane->scale[i] != 0.0f;
  }
}
