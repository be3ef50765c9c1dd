#include "kernels/aarch64/row_blocks_aarch64.h"

#include <string.h>

#include "formats/row_blocks_s8.h"

enum { kHeight = 16 };

size_t spk_blocks16x4_pack_size(const spk_layer *layer, const void *weights) {
  return spk_row_blocks_s8_pack_size(weights, layer->window.out_c, layer->window.in_c, kHeight);
}

spk_status spk_blocks16x4_pack(const spk_layer *layer, const void *weights, void *packed,
                               size_t bytes) {
  return spk_row_blocks_s8_pack(weights, layer->window.out_c, layer->window.in_c, kHeight,
                                packed, bytes);
}

int32_t spk_rows16_units(const spk_layer *layer) {
  return (layer->window.out_c - 1) / kHeight + 1;
}

size_t spk_dense16x4_pack_size(const spk_layer *layer, const void *weights) {
  (void)weights;
  const size_t rows = (size_t)spk_rows16_units(layer) * kHeight;
  return rows * (sizeof(int32_t) + (size_t)spk_padded_cols(layer));
}

spk_status spk_dense16x4_pack(const spk_layer *layer, const void *weights, void *packed,
                              size_t bytes) {
  const size_t needed = spk_dense16x4_pack_size(layer, weights);
  if (bytes < needed) return SPK_ERR_SPACE;
  memset(packed, 0, needed);
  const size_t rows = (size_t)spk_rows16_units(layer) * kHeight;
  const size_t cols = (size_t)layer->window.in_c, padded = (size_t)spk_padded_cols(layer);
  uint32_t *sum = packed;  // modulo 2^32, like the accumulators
  int8_t *to = (int8_t *)(sum + rows);
  const int8_t *from = weights;
  for (size_t r = 0; r < (size_t)layer->window.out_c; ++r) {
    int8_t *group = to + r / kHeight * kHeight * padded;
    for (size_t c = 0; c < cols; ++c, ++from) {
      sum[r] += (uint32_t)(int32_t)*from;
      group[c / 4 * 4 * kHeight + r % kHeight * 4 + c % 4] = *from;
    }
  }
  return SPK_OK;
}

size_t spk_rows16_scratch(const spk_layer *layer) { return (size_t)spk_padded_cols(layer); }

const int8_t *spk_padded_input(const spk_args *args, int32_t b) {
  const size_t cols = (size_t)args->layer->window.in_c;
  const int8_t *input = (const int8_t *)args->input + (size_t)b * cols;
  if (cols % 4 == 0) return input;
  memset(args->scratch, 0, (size_t)spk_padded_cols(args->layer));
  return memcpy(args->scratch, input, cols);
}
