#include "kernels/x86/planar_fours_s8.h"

#include <string.h>

#include "formats/blocks4_s8.h"

enum { kWord = 4 };

// The layer with four input channels as one.
static int view_of(const spk_layer *layer, spk_layer *view) {
  *view = *layer;
  if (layer->window.in_c % kSpkFour != 0) return 0;
  view->window.in_c /= kSpkFour;
  return 1;
}

static int plan_of(const spk_layer *layer, spk_planar *plan) {
  spk_layer view;
  return view_of(layer, &view) && spk_planar_plan(&view, kWord, plan) == SPK_OK;
}

// What wide weights add.
static size_t extra_bytes(const spk_blocks4_s8_header *header, int32_t words) {
  return (size_t)header->blocks * (size_t)header->height * (size_t)(words - 1) * 4;
}

static void *tail_of(const void *packed, int32_t words) {
  return (uint8_t *)packed + spk_blocks4_s8_bytes(packed) + extra_bytes(packed, words);
}

static size_t pack_size(const spk_layer *layer, const void *weights, int32_t height,
                        int32_t words) {
  spk_planar plan;
  if (!plan_of(layer, &plan)) return 0;
  const int32_t rows = layer->window.out_c, cols = spk_layer_cols(layer);
  const size_t bytes = spk_blocks4_s8_pack_size(weights, rows, cols, height);
  if (bytes == 0) return 0;
  const spk_blocks4_s8_header empty = spk_blocks4_s8_header_of(rows, cols, height);
  const size_t block = spk_blocks4_s8_words(height) * 4;
  const size_t blocks = (bytes - spk_blocks4_s8_bytes(&empty)) / block;
  return bytes + blocks * (size_t)height * (size_t)(words - 1) * 4 +
         spk_channels_s8_tail_bytes(layer);
}

// From the last block to the first, in place.
static void widen(void *packed) {
  const spk_blocks4_s8_header *header = packed;
  const size_t height = (size_t)header->height;
  uint32_t *blocks = (uint32_t *)spk_blocks4_s8_blocks(packed);
  for (size_t b = header->blocks; b-- > 0;) {
    uint32_t block[5];
    memcpy(block, blocks + b * (1 + height), 4 * (1 + height));
    int16_t wide[4][4];
    for (size_t i = 0; i < 4 * height; ++i)
      wide[i / 4][i % 4 / 2 + i % 2 * 2] = ((const int8_t *)(block + 1))[i];
    memcpy(blocks + b * (1 + 2 * height), block, 4);
    memcpy(blocks + b * (1 + 2 * height) + 1, wide, 8 * height);
  }
}

static spk_status pack(const spk_layer *layer, const void *weights, int32_t height,
                       int32_t words, void *packed, size_t bytes) {
  spk_planar plan;
  if (!plan_of(layer, &plan)) return SPK_ERR_UNSUPPORTED;
  if (bytes < pack_size(layer, weights, height, words)) return SPK_ERR_SPACE;
  const spk_status status = spk_blocks4_s8_pack(weights, layer->window.out_c,
                                                spk_layer_cols(layer), height, packed, bytes);
  if (status != SPK_OK) return status;
  const uint32_t count = ((const spk_blocks4_s8_header *)packed)->blocks;
  uint32_t *block = (uint32_t *)spk_blocks4_s8_blocks(packed);
  for (uint32_t i = 0; i < count; ++i, block += spk_blocks4_s8_words(height))
    block[0] = spk_planar_offset(&plan, block[0]) * kWord;
  if (words == 2) widen(packed);
  spk_channels_s8_fill_tail(layer, weights, spk_blocks4_s8_first(packed),
                            ((const spk_blocks4_s8_header *)packed)->groups, height,
                            tail_of(packed, words));
  return SPK_OK;
}

#define SPK_PLANAR_FOURS_PACKER(name, height, words)                             \
  size_t spk_planar_s8_##name##height##x4_pack_size(const spk_layer *layer,      \
                                                    const void *weights) {       \
    return pack_size(layer, weights, height, words);                             \
  }                                                                              \
  spk_status spk_planar_s8_##name##height##x4_pack(                              \
      const spk_layer *layer, const void *weights, void *packed, size_t bytes) { \
    return pack(layer, weights, height, words, packed, bytes);                   \
  }
SPK_PLANAR_FOURS_PACKER(blocks, 1, 1)
SPK_PLANAR_FOURS_PACKER(blocks, 2, 1)
SPK_PLANAR_FOURS_PACKER(blocks, 4, 1)
SPK_PLANAR_FOURS_PACKER(wide, 1, 2)
SPK_PLANAR_FOURS_PACKER(wide, 2, 2)
SPK_PLANAR_FOURS_PACKER(wide, 4, 2)

size_t spk_planar_fours_s8_scratch(const spk_layer *layer) {
  spk_layer view;
  if (!view_of(layer, &view)) return 0;
  return spk_planar_scratch(&view, kWord);
}

int32_t spk_planar_fours_s8_units(const spk_layer *layer) {
  spk_layer view;
  return view_of(layer, &view) ? spk_planar_units(&view, kWord) : 0;
}

void spk_planar_fours_s8_run(const spk_args *args, const spk_planar_kernel *kernel,
                             int32_t words) {
  spk_layer view;
  if (!view_of(args->layer, &view)) return;
  const spk_channels_s8 channels = spk_channels_s8_of(args, tail_of(args->packed, words));
  spk_planar_kernel complete = *kernel;
  complete.element = kWord;
  complete.output = 1;
  complete.channels = kSpkMaxTileChannels;
  complete.padding = -args->layer->requant.input_offset & 0xff;  // pack() flips it
  spk_args inner = *args;
  inner.layer = &view;
  inner.packed = &channels;
  spk_planar_run(&inner, &complete);
}
