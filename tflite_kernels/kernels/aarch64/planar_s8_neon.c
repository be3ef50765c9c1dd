#include "kernels/aarch64/planar_s8_neon.h"

#include <string.h>

#include "formats/blocks4_s8.h"
#include "formats/tuples_s8.h"
#include "kernels/aarch64/planar_f32_neon.h"

static size_t tuples_pack_size(const spk_layer *layer, const void *weights, int32_t n) {
  spk_planar plan;
  if (spk_planar_plan(layer, 1, &plan) != SPK_OK) return 0;
  return spk_tuples_s8_pack_size(weights, layer->window.out_c, spk_layer_cols(layer), n);
}

static spk_status tuples_pack(const spk_layer *layer, const void *weights, int32_t n,
                              void *packed, size_t bytes) {
  const int32_t rows = layer->window.out_c;
  spk_planar plan;
  spk_status status = spk_planar_plan(layer, 1, &plan);
  if (status == SPK_OK)
    status = spk_tuples_s8_pack(weights, rows, spk_layer_cols(layer), n, packed, bytes);
  if (status != SPK_OK) return status;
  uint32_t *tuple = (uint32_t *)spk_tuples_s8_tuples(packed, rows);
  const uint32_t count = spk_tuples_s8_start(packed)[rows];
  for (uint32_t i = 0; i < count; ++i, tuple += n + 1)
    for (int32_t slot = 0; slot < n; ++slot)
      tuple[slot] = spk_planar_offset(&plan, tuple[slot]);
  return SPK_OK;
}

// Two products of -128 * -128 do not fit int16.
size_t spk_planar_s8_neon_pairs_pack_size(const spk_layer *layer, const void *weights) {
  const size_t size = (size_t)layer->window.out_c * (size_t)spk_layer_cols(layer);
  return memchr(weights, 0x80, size) ? 0 : tuples_pack_size(layer, weights, 2);
}

spk_status spk_planar_s8_neon_pairs_pack(const spk_layer *layer, const void *weights,
                                         void *packed, size_t bytes) {
  return tuples_pack(layer, weights, 2, packed, bytes);
}

size_t spk_planar_s8_neon_quads_pack_size(const spk_layer *layer, const void *weights) {
  return tuples_pack_size(layer, weights, 4);
}

spk_status spk_planar_s8_neon_quads_pack(const spk_layer *layer, const void *weights,
                                         void *packed, size_t bytes) {
  return tuples_pack(layer, weights, 4, packed, bytes);
}

size_t spk_planar_s8_neon_scratch(const spk_layer *layer) {
  return spk_planar_scratch(layer, 1);
}

int32_t spk_planar_s8_neon_units(const spk_layer *layer) { return spk_planar_units(layer, 1); }

// The layer with four channels for one.
static spk_layer by_four(const spk_layer *layer) {
  spk_layer fourth = *layer;
  fourth.window.in_c /= 4;
  return fourth;
}

size_t spk_planar_s8_neon_blocks1x4_pack_size(const spk_layer *layer, const void *weights) {
  const spk_layer fourth = by_four(layer);
  spk_planar plan;
  if (layer->window.in_c % 4 != 0 || spk_planar_plan(&fourth, 4, &plan) != SPK_OK) return 0;
  return spk_blocks4_s8_pack_size(weights, layer->window.out_c, spk_layer_cols(layer),
                                  spk_layer_cols(layer), 1);
}

spk_status spk_planar_s8_neon_blocks1x4_pack(const spk_layer *layer, const void *weights,
                                             void *packed, size_t bytes) {
  const spk_layer fourth = by_four(layer);
  spk_planar plan;
  if (layer->window.in_c % 4 != 0) return SPK_ERR_UNSUPPORTED;
  spk_status status = spk_planar_plan(&fourth, 4, &plan);
  if (status == SPK_OK)
    status = spk_blocks4_s8_pack(weights, layer->window.out_c, spk_layer_cols(layer),
                                 spk_layer_cols(layer), 1, packed, bytes);
  if (status != SPK_OK) return status;
  uint32_t *block = (uint32_t *)spk_blocks4_s8_blocks(packed);
  const uint32_t count = spk_blocks4_s8_first(packed)[layer->window.out_c];
  for (uint32_t i = 0; i < count; ++i, block += 2) *block = spk_planar_offset(&plan, *block);
  return SPK_OK;
}

size_t spk_planar_s8_neon_blocks1x4_scratch(const spk_layer *layer) {
  const spk_layer fourth = by_four(layer);
  return spk_planar_scratch(&fourth, 4);
}

int32_t spk_planar_s8_neon_blocks1x4_units(const spk_layer *layer) {
  const spk_layer fourth = by_four(layer);
  return spk_planar_units(&fourth, 4);
}

// r[i][j] -> r[j][i]: four rounds that each interleave the first half with the second.
static inline void transpose16(int8x16_t *r) {
#pragma GCC unroll 4
  for (int round = 0; round < 4; ++round) {
    int8x16_t t[16];
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i) {
      t[2 * i] = vzip1q_s8(r[i], r[i + 8]);
      t[2 * i + 1] = vzip2q_s8(r[i], r[i + 8]);
    }
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i) r[i] = t[i];
  }
}

// The first `count` bytes, at most 16, without touching the others.
static inline int8x16_t load_part(const int8_t *from, int32_t count) {
  if (count >= 16) return vld1q_s8(from);
  int8_t bytes[16] = {0};
  memcpy(bytes, from, (size_t)count);
  return vld1q_s8(bytes);
}

static inline void store_part(int8_t *to, int8x16_t value, int32_t count) {
  if (count >= 16) {
    vst1q_s8(to, value);
    return;
  }
  int8_t bytes[16];
  vst1q_s8(bytes, value);
  memcpy(to, bytes, (size_t)count);
}

static void pack_pixels(const void *const *pixels, int32_t count, int32_t channels,
                        void *planes, int32_t plane) {
  for (int32_t c = 0; c < channels; c += 16) {
    const int32_t part = channels - c < 16 ? channels - c : 16;
    int8_t *to = (int8_t *)planes + (size_t)c * (size_t)plane;
    for (int32_t p = 0; p < count; p += 16) {
      int8x16_t r[16];
      for (int i = 0; i < 16; ++i) r[i] = load_part((const int8_t *)pixels[p + i] + c, part);
      transpose16(r);
#pragma GCC unroll 16
      for (int i = 0; i < 16; ++i)
        if (i < part) vst1q_s8(to + (size_t)i * (size_t)plane + p, r[i]);
    }
  }
}

static void store(const void *tile, int32_t pixels, int32_t channels, const int32_t *to,
                  void *output) {
  const int8_t *from = tile;
  for (int32_t p = 0; p < pixels; p += 16) {
    int8x16_t r[16];
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i)
      r[i] = i < channels ? vld1q_s8(from + i * kSpkMaxTile + p) : vdupq_n_s8(0);
    transpose16(r);
#pragma GCC unroll 16
    for (int i = 0; i < 16; ++i)
      if (to[p + i] >= 0) store_part((int8_t *)output + to[p + i], r[i], channels);
  }
}

// Padding is the zero point, which the constant part of a sum takes off again.
static spk_planar_kernel complete(const spk_args *args, const spk_planar_kernel *kernel) {
  spk_planar_kernel full = *kernel;
  full.output = 1;
  full.store = store;
  full.padding = -args->layer->requant.input_offset & 0xff;
  return full;
}

void spk_planar_s8_neon_run(const spk_args *args, const spk_planar_kernel *kernel) {
  spk_planar_kernel full = complete(args, kernel);
  full.element = 1;
  full.pack = pack_pixels;
  spk_planar_run(args, &full);
}

void spk_planar_s8_neon_blocks1x4_run(const spk_args *args, const spk_planar_kernel *kernel) {
  spk_planar_kernel full = complete(args, kernel);
  const spk_layer fourth = by_four(args->layer);
  spk_args words = *args;
  words.layer = &fourth;
  full.element = 4;
  full.pack = spk_planar_f32_neon_pack_pixels;  // of words, whatever is in them
  spk_planar_run(&words, &full);
}
