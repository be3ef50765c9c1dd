#include "kernels/x86/row_blocks_x86.h"

#include <string.h>

#include "kernels/x86/inputs_s8.h"

#define SPK_ROW_BLOCKS_FUNCTIONS(height)                                                      \
  size_t spk_row_blocks##height##_s8_pack_size(const spk_layer *layer, const void *weights) { \
    return spk_row_blocks_s8_pack_size(weights, layer->window.out_c, layer->window.in_c,      \
                                       height);                                               \
  }                                                                                           \
  spk_status spk_row_blocks##height##_s8_pack(const spk_layer *layer, const void *weights,    \
                                              void *packed, size_t bytes) {                   \
    return spk_row_blocks_s8_pack(weights, layer->window.out_c, layer->window.in_c, height,   \
                                  packed, bytes);                                             \
  }                                                                                           \
  int32_t spk_row_blocks##height##_s8_units(const spk_layer *layer) {                         \
    return (layer->window.out_c - 1) / height + 1;                                            \
  }
SPK_ROW_BLOCKS_FUNCTIONS(8)
SPK_ROW_BLOCKS_FUNCTIONS(16)

size_t spk_row_blocks8_s8_avx2_pack_size(const spk_layer *layer, const void *weights) {
  const size_t size = (size_t)layer->window.out_c * layer->window.in_c;
  return memchr(weights, 0x80, size) ? 0 : spk_row_blocks8_s8_pack_size(layer, weights);
}

size_t spk_row_blocks_s8_scratch(const spk_layer *layer) {
  const size_t images = layer->window.batch < 8 ? (size_t)layer->window.batch : 8;
  return images * spk_inputs_pitch(layer->window.in_c);
}
