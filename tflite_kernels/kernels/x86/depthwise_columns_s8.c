#include "kernels/x86/depthwise_columns_s8.h"

#include <string.h>

spk_columns_shape spk_columns_shape_of(const spk_layer *layer) {
  const spk_window2d *w = &layer->window;
  spk_columns_shape s = {.chunks = (w->out_c - 1) / kSpkChunk + 1};
  const int32_t parts = layer->threads > 1 ? layer->threads : 1;
  s.band_rows = ((w->out_h - 1) / parts + 2) / 2 * 2;
  s.bands = (w->out_h - 1) / s.band_rows + 1;
  s.weights = (size_t)s.chunks * kSpkChunk * kSpkDepthwiseEndBytes;
  return s;
}

size_t spk_columns_s8_pack_size(const spk_layer *layer, const void *weights) {
  (void)weights;
  const spk_window2d *w = &layer->window;
  const spk_columns_shape s = spk_columns_shape_of(layer);
  const int is_supported = w->kernel_h == 3 && w->kernel_w == 3 && w->stride_w <= 2 &&
                           w->dilation_w == 1 && w->out_c == w->in_c;
  return is_supported ? s.weights + (size_t)s.chunks * kSpkChunkWeights : 0;
}

// The lane of channel `c` within its chunk, in all four vectors.
static size_t lane_of(int32_t c) {
  return (size_t)(c % 16 / 4 * 16 + c % kSpkChunk / 16 * 4 + c % 4);
}

spk_status spk_columns_s8_pack(const spk_layer *layer, const void *weights, void *packed,
                               size_t bytes) {
  const int32_t channels = layer->window.out_c;
  const spk_columns_shape s = spk_columns_shape_of(layer);
  const size_t size = spk_columns_s8_pack_size(layer, weights);
  if (size == 0) return SPK_ERR_UNSUPPORTED;
  if (bytes < size) return SPK_ERR_SPACE;
  memset(packed, 0, size);
  const size_t lanes = (size_t)s.chunks * kSpkChunk;
  const spk_depthwise_ends ends = spk_depthwise_ends_of(packed, lanes);
  spk_depthwise_clear_ends(&ends, lanes);
  for (size_t i = 0; i < lanes; ++i) {
    // Both halves of a narrow chunk are the same channels.
    const int32_t chunk = (int32_t)(i / kSpkChunk), first = chunk * kSpkChunk;
    const int is_narrow = channels - first <= kSpkNarrowChunk;
    const int32_t c = first + (int32_t)(i % kSpkChunk) % (is_narrow ? 32 : 64);
    if (c >= channels) continue;
    const size_t lane = lane_of((int32_t)(i % kSpkChunk));
    spk_depthwise_fill_end(layer, weights, c, &ends, (size_t)first + lane);
    int8_t *to = (int8_t *)packed + s.weights + (size_t)chunk * kSpkChunkWeights + lane * 4;
    for (size_t tap = 0; tap < 9; ++tap)
      to[tap % 3 * 4 * kSpkChunk + tap / 3] =
          ((const int8_t *)weights)[tap * (size_t)channels + (size_t)c];
  }
  return SPK_OK;
}

size_t spk_columns_s8_scratch(const spk_layer *layer) {
  (void)layer;
  return 0;
}

int32_t spk_columns_s8_units(const spk_layer *layer) {
  const spk_columns_shape s = spk_columns_shape_of(layer);
  return layer->window.batch * s.chunks * s.bands;
}
