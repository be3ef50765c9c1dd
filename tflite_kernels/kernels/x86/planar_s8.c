#include "kernels/x86/planar_s8.h"

#include <immintrin.h>
#include <string.h>

#include "formats/tuples_s8.h"
#include "kernels/x86/channels_s8.h"

#define AVX2 __attribute__((target("avx2")))

static size_t pack_size(const spk_layer *layer, const void *weights, int32_t n) {
  spk_planar plan;
  if (spk_planar_plan(layer, 1, &plan) != SPK_OK) return 0;
  return spk_tuples_s8_pack_size(weights, layer->window.out_c, spk_layer_cols(layer), n);
}

static spk_status pack(const spk_layer *layer, const void *weights, int32_t n, void *packed,
                       size_t bytes) {
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

size_t spk_planar_s8_pairs_pack_size(const spk_layer *layer, const void *weights) {
  return pack_size(layer, weights, 2);
}

spk_status spk_planar_s8_pairs_pack(const spk_layer *layer, const void *weights, void *packed,
                                    size_t bytes) {
  return pack(layer, weights, 2, packed, bytes);
}

size_t spk_planar_s8_quads_pack_size(const spk_layer *layer, const void *weights) {
  const size_t bytes = pack_size(layer, weights, 4);
  return bytes ? bytes + spk_channels_s8_tail_bytes(layer) : 0;
}

// Where the tail begins.
static void *tail_of(const spk_layer *layer, const void *packed) {
  const int32_t rows = layer->window.out_c;
  const uint32_t count = spk_tuples_s8_start(packed)[rows];
  return (uint32_t *)spk_tuples_s8_tuples(packed, rows) + (size_t)count * 5;
}

spk_status spk_planar_s8_quads_pack(const spk_layer *layer, const void *weights, void *packed,
                                    size_t bytes) {
  const size_t tail_bytes = spk_channels_s8_tail_bytes(layer);
  if (bytes < tail_bytes) return SPK_ERR_SPACE;
  const spk_status status = pack(layer, weights, 4, packed, bytes - tail_bytes);
  if (status != SPK_OK) return status;
  spk_channels_s8_fill_tail(layer, weights, spk_tuples_s8_start(packed), layer->window.out_c, 1,
                            tail_of(layer, packed));
  return SPK_OK;
}

size_t spk_planar_s8_scratch(const spk_layer *layer) { return spk_planar_scratch(layer, 1); }

// The tile is a larger one, of words.
size_t spk_planar_s8_quads_scratch(const spk_layer *layer) {
  return spk_planar_scratch(layer, 1) + kSpkMaxTileChannels * kSpkMaxTile;
}

int32_t spk_planar_s8_units(const spk_layer *layer) { return spk_planar_units(layer, 1); }

int32_t spk_planar_s8_first(const spk_args *args, int32_t channel) {
  const spk_layer *layer = args->layer;
  const int32_t *bias = layer->bias;
  const int32_t sum = spk_tuples_s8_sum(args->packed, layer->window.out_c)[channel];
  const uint32_t correction = (uint32_t)sum * (uint32_t)(layer->requant.input_offset - 128);
  return (int32_t)((bias ? (uint32_t)bias[channel] : 0u) + correction);
}

// r[i][j] -> r[j][i]: four rounds that each interleave the first half with the second.
AVX2 static inline void transpose16(__m128i *r) {
  __m128i t[16];
  for (int round = 0; round < 4; ++round) {
    for (int i = 0; i < 8; ++i) {
      t[2 * i] = _mm_unpacklo_epi8(r[i], r[i + 8]);
      t[2 * i + 1] = _mm_unpackhi_epi8(r[i], r[i + 8]);
    }
    memcpy(r, t, sizeof(t));
  }
}

// The first `count` bytes, 1 to 16, without touching the others: two loads that may overlap.
AVX2 static inline __m128i load_part(const uint8_t *from, int32_t count) {
  uint64_t first = 0, last = 0;
  uint32_t low = 0, high = 0;
  if (count == 16) return _mm_loadu_si128((const __m128i *)(const void *)from);
  if (count > 8) {
    memcpy(&first, from, 8);
    memcpy(&last, from + count - 8, 8);
    last >>= 8 * (16 - count);
  } else if (count == 8) {
    memcpy(&first, from, 8);
  } else if (count >= 4) {
    memcpy(&low, from, 4);
    memcpy(&high, from + count - 4, 4);
    first = low | (uint64_t)high << 8 * (count - 4);
  } else {
    for (int32_t i = 0; i < count; ++i) first |= (uint64_t)from[i] << 8 * i;
  }
  return _mm_set_epi64x((int64_t)last, (int64_t)first);
}

AVX2 static inline void store_part(uint8_t *to, __m128i value, int32_t count) {
  uint8_t bytes[16];
  _mm_storeu_si128((__m128i *)(void *)bytes, value);
  if (count == 16) {
    memcpy(to, bytes, 16);
  } else if (count >= 8) {
    memcpy(to, bytes, 8);
    memcpy(to + count - 8, bytes + count - 8, 8);
  } else if (count >= 4) {
    memcpy(to, bytes, 4);
    memcpy(to + count - 4, bytes + count - 4, 4);
  } else {
    for (int32_t i = 0; i < count; ++i) to[i] = bytes[i];
  }
}

AVX2 void spk_planar_s8_pack_pixels(const void *const *pixels, int32_t count, int32_t channels,
                                    void *planes, int32_t plane) {
  const __m128i flip = _mm_set1_epi8((char)0x80);
  uint8_t *to = planes;
  for (int32_t c = 0; c < channels; c += 16) {
    const int32_t part = channels - c < 16 ? channels - c : 16;
    for (int32_t p = 0; p < count; p += 16) {
      __m128i r[16];
      for (int i = 0; i < 16; ++i) r[i] = load_part((const uint8_t *)pixels[p + i] + c, part);
      transpose16(r);
      for (int i = 0; i < part; ++i)
        _mm_storeu_si128((__m128i *)(void *)(to + (size_t)(c + i) * plane + p),
                         _mm_xor_si128(r[i], flip));
    }
  }
}

AVX2 void spk_planar_s8_store(const void *tile, int32_t pixels, int32_t channels,
                              const int32_t *to, void *output) {
  const uint8_t *from = tile;
  for (int32_t p = 0; p < pixels; p += 16) {
    __m128i r[16];
    for (int i = 0; i < 16; ++i)
      r[i] = i < channels
                 ? _mm_load_si128(
                       (const __m128i *)(const void *)(from + (size_t)i * kSpkMaxTile + p))
                 : _mm_setzero_si128();
    transpose16(r);
    for (int i = 0; i < 16; ++i)
      if (to[p + i] >= 0) store_part((uint8_t *)output + to[p + i], r[i], channels);
  }
}

void spk_planar_s8_run(const spk_args *args, const spk_planar_kernel *kernel) {
  spk_planar_kernel with_padding = *kernel;
  with_padding.element = 1;
  with_padding.pack = spk_planar_s8_pack_pixels;
  if (!kernel->store) with_padding.store = spk_planar_s8_store;
  with_padding.padding = -args->layer->requant.input_offset & 0xff;  // pack() flips it
  spk_planar_run(args, &with_padding);
}

void spk_planar_s8_run_quads(const spk_args *args, const spk_planar_kernel *kernel) {
  const spk_channels_s8 channels =
      spk_channels_s8_of(args->layer, args->packed, tail_of(args->layer, args->packed));
  spk_planar_kernel complete = *kernel;
  complete.element = 1;
  complete.channels = kSpkMaxTileChannels;
  complete.padding = -args->layer->requant.input_offset & 0xff;  // pack() flips it
  spk_args inner = *args;
  inner.packed = &channels;
  spk_planar_run(&inner, &complete);
}
