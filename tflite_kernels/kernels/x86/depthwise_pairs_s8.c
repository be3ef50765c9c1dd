#include "kernels/x86/depthwise_pairs_s8.h"

#include <string.h>

// The taps of each pair, row by row; 9 is none.
static const uint8_t kTaps[kSpkPairVectors][2] = {{0, 3}, {1, 4}, {2, 5}, {6, 7},
                                                  {8, 9}, {9, 6}, {7, 8}};

spk_pairs_shape spk_pairs_shape_of(const spk_layer *layer) {
  const spk_window2d *w = &layer->window;
  spk_pairs_shape s = {.parts = (w->out_c - 1) / kSpkPart + 1};
  s.chunks = (s.parts - 1) / kSpkPartsTogether + 1;
  s.bands = layer->threads < 1 ? 1 : layer->threads < w->out_h ? layer->threads : w->out_h;
  s.weights = (size_t)s.parts * kSpkPart * kSpkDepthwiseEndBytes;
  return s;
}

size_t spk_pairs_s8_pack_size(const spk_layer *layer, const void *weights) {
  (void)weights;
  const spk_window2d *w = &layer->window;
  const spk_pairs_shape s = spk_pairs_shape_of(layer);
  const int is_supported = w->kernel_h == 3 && w->kernel_w == 3 && w->stride_w <= 2 &&
                           w->dilation_w == 1 && w->out_c == w->in_c;
  return is_supported ? s.weights + (size_t)s.parts * kSpkPartWeights * sizeof(int16_t) : 0;
}

spk_status spk_pairs_s8_pack(const spk_layer *layer, const void *weights, void *packed,
                             size_t bytes) {
  const size_t channels = (size_t)layer->window.out_c;
  const spk_pairs_shape s = spk_pairs_shape_of(layer);
  const size_t size = spk_pairs_s8_pack_size(layer, weights);
  if (size == 0) return SPK_ERR_UNSUPPORTED;
  if (bytes < size) return SPK_ERR_SPACE;
  memset(packed, 0, size);
  const size_t lanes = (size_t)s.parts * kSpkPart;
  const spk_depthwise_ends ends = spk_depthwise_ends_of(packed, lanes);
  spk_depthwise_clear_ends(&ends, lanes);
  int16_t *pairs = (int16_t *)(void *)((uint8_t *)packed + s.weights);
  for (size_t c = 0; c < channels; ++c) {
    const size_t part = c / kSpkPart, vector = c % 8 / 4, lane = c % 16 / 8 * 4 + c % 4;
    spk_depthwise_fill_end(layer, weights, (int32_t)c, &ends,
                           part * kSpkPart + vector * 8 + lane);
    int16_t *to = pairs + part * kSpkPartWeights + vector * (kSpkPartWeights / 2) + lane * 2;
    for (size_t i = 0; i < kSpkPairVectors; ++i)
      for (size_t half = 0; half < 2; ++half)
        if (kTaps[i][half] < 9)
          to[i * 16 + half] = ((const int8_t *)weights)[kTaps[i][half] * channels + c];
  }
  return SPK_OK;
}

size_t spk_pairs_s8_scratch(const spk_layer *layer) {
  (void)layer;
  return 0;
}

int32_t spk_pairs_s8_units(const spk_layer *layer) {
  const spk_pairs_shape s = spk_pairs_shape_of(layer);
  return layer->window.batch * s.chunks * s.bands;
}
