// NHWC tensors into tiles where they enter a chain, and back where they leave it.
#include <string.h>

#include "delegate/chain_tile.h"

// Bytes of an element of NHWC.
static size_t element_of(const tile_work *work) {
  return (size_t)(kSpkPlanesWord / work->call->chain->kernels->channels);
}

static uint8_t *image_of(const tile_work *work, int32_t v) {
  const chain_value *value = &work->call->chain->values[v];
  const spk_window2d *w = &value->unrolled;
  const size_t size = value->is_unrolled ? (size_t)w->in_h * (size_t)w->in_w * (size_t)w->in_c
                                         : (size_t)value->height * (size_t)value->width *
                                               (size_t)value->channels;
  return (uint8_t *)work->call->data_of(work->call->context, value->tensor) +
         size * element_of(work) * (size_t)work->call->image;
}

void spk_pack_tile(const tile_work *work, int32_t v) {
  const spk_chain *chain = work->call->chain;
  const chain_value *value = &chain->values[v];
  const size_t pixel_bytes = (size_t)value->channels * element_of(work);
  const uint8_t *image = image_of(work, v);
  if (value->is_unrolled) {
    spk_pack_windows(work, v, image);
    return;
  }
  const spk_planes_tile to = spk_tile_of(work, v);
  const void *pixels[kSpkPlanesTile];
  for (pixel_run run = spk_no_run(work); spk_next_run(work, &run);) {
    const uint8_t *from =
        run.number < 0 ? chain->zeros : image + (size_t)run.number * pixel_bytes;
    const size_t step = run.number < 0 ? 0 : pixel_bytes;
    for (int32_t i = 0; i < run.count; ++i) pixels[run.at + i] = from + (size_t)i * step;
  }
  for (int32_t p = 0; p < work->pixels; p += kSpkPlanesVector)
    chain->kernels->pack(pixels + p, kSpkPlanesVector, value->planes, spk_planes_from(to, p).at,
                         to.stride);
}

void spk_store_tile(const tile_work *work, int32_t v) {
  const spk_chain *chain = work->call->chain;
  const int32_t channels = chain->values[v].channels;
  int32_t to[kSpkPlanesTile];
  for (pixel_run run = spk_no_run(work); spk_next_run(work, &run);)
    for (int32_t i = 0; i < run.count; ++i)
      to[run.at + i] = run.number < 0 ? -1 : (run.number + i) * channels;
  chain->kernels->store(spk_tile_of(work, v), work->pixels, channels, to, image_of(work, v));
}
