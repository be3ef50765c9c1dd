// The int8 weights of a chain.
#include <stdlib.h>

#include "delegate/chain_plan.h"
#include "formats/blocks4_s8.h"
#include "kernels/x86/split_blocks4_s8.h"

#if defined(__x86_64__)
static void *aligned(size_t bytes) { return aligned_alloc(64, (bytes + 64) / 64 * 64); }

// Blocks with offsets of words instead of columns, and the tail of channels_s8.h.
static const char *pack_conv2d(spk_chain *chain, int32_t link, const spk_layer *layer,
                               const int8_t *weights) {
  const int32_t rows = layer->window.out_c, cols = spk_layer_cols(layer);
  const int32_t height = chain->links[link].rows;
  const int32_t run = spk_run_of_link(&chain->links[link], &layer->window);
  const int64_t stride = spk_chain_stride_of_input(chain, link);
  const size_t bytes = spk_blocks4_s8_pack_size(weights, rows, cols, run, height);
  const int splits = chain->kernels->splits;
  const size_t extra =
      splits ? spk_split_blocks4_s8_extra(weights, rows, cols, run, height) : 0;
  uint8_t *packed = bytes ? aligned(bytes + extra + spk_channels_s8_tail_bytes(layer)) : NULL;
  chain->memory[link][0] = packed;
  if (!packed ||
      spk_blocks4_s8_pack(weights, rows, cols, run, height, packed, bytes) != SPK_OK ||
      stride * cols > INT32_MAX)
    return "its weights could not be packed";
  const spk_blocks4_s8_header *header = (const void *)packed;
  uint32_t *block = (uint32_t *)spk_blocks4_s8_blocks(packed);
  for (uint32_t i = 0; i < header->blocks; ++i, block += spk_blocks4_s8_words(height))
    block[0] *= (uint32_t)stride * kSpkPlanesWord;
  if (splits) spk_split_blocks4_s8(packed);
  void *tail = packed + spk_blocks4_s8_bytes(header);
  spk_channels_s8_fill_tail(layer, weights, spk_blocks4_s8_first(packed), header->groups,
                            height, tail);
  spk_planes_conv2d_s8 *conv = &chain->kernel_of[link].as.conv_s8;
  conv->channels = spk_channels_s8_of(layer, packed, tail);
  conv->channels.requant = &chain->requants[link];  // outlives this call
  conv->height = height;
  return NULL;
}

static const char *pack_depthwise(spk_chain *chain, int32_t link, const spk_layer *layer,
                                  const int8_t *weights) {
  spk_planes_taps_s8 *packed = aligned(spk_planes_depthwise_s8_bytes(layer));
  chain->memory[link][0] = packed;
  if (!packed) return "memory is short";
  spk_planes_depthwise_s8_pack(layer, weights, packed);
  chain->kernel_of[link].as.depthwise_s8 =
      (spk_planes_depthwise_s8){.requant = &chain->requants[link],
                                .packed = packed,
                                .planes = layer->window.out_c / kSpkFour,
                                .pitch = spk_chain_input_layout(chain, link)->pitch};
  return NULL;
}

const char *spk_chain_pack_s8(spk_chain *chain, int32_t link, const spk_chain_layer *from) {
  spk_layer layer = from->layer;
  layer.requant = chain->requants[link];
  return chain->links[link].kind == SPK_LINK_CONV_2D
             ? pack_conv2d(chain, link, &layer, from->weights)
             : pack_depthwise(chain, link, &layer, from->weights);
}

#else
const char *spk_chain_pack_s8(spk_chain *chain, int32_t link, const spk_chain_layer *from) {
  (void)chain, (void)link, (void)from;
  return "there are no kernels for it";
}
#endif
