// The weights of a chain, with offsets from the first tap instead of columns.
#include <stdlib.h>
#include <string.h>

#include "delegate/chain_plan.h"
#include "formats/blocks_f32.h"

static void *aligned(size_t bytes) { return aligned_alloc(64, (bytes + 64) / 64 * 64); }

int32_t spk_chain_stride_of_input(const spk_chain *chain, int32_t link) {
  for (int32_t p = 0; p < chain->pass_count; ++p) {
    const chain_pass *pass = &chain->passes[p];
    for (int32_t s = 0; s < pass->step_count; ++s) {
      const chain_step *step = &chain->steps[pass->first_step + s];
      if (step->kind != CHAIN_LINK || step->link != link) continue;
      if (pass->band && s == 0) return pass->band;
      return chain->values[step->inputs[0]].is_whole
                 ? spk_chain_input_layout(chain, link)->plane
                 : (int32_t)kSpkPlanesTileStride;
    }
  }
  return 0;
}

static int32_t tap_offset(const spk_chain *chain, int32_t link, int32_t tap) {
  const spk_window2d *w = &chain->windows[link];
  const int32_t ky = tap / w->kernel_w, kx = tap % w->kernel_w;
  return ky * w->dilation_h * spk_chain_input_layout(chain, link)->pitch + kx * w->dilation_w;
}

// The bias, with zeros up to a multiple of four.
static bool copy_bias(spk_chain *chain, int32_t link, const float *bias) {
  if (!bias) return true;
  const size_t channels = (size_t)chain->windows[link].out_c;
  float *copy = calloc(channels + 4, sizeof(float));
  chain->memory[link][1] = copy;
  if (copy) memcpy(copy, bias, channels * sizeof(float));
  return copy != NULL;
}

static const char *pack_conv2d(spk_chain *chain, int32_t link, const float *weights) {
  const spk_window2d *w = &chain->windows[link];
  const int32_t cols = w->kernel_h * w->kernel_w * w->in_c, rows = chain->links[link].rows;
  const int64_t stride = spk_chain_stride_of_input(chain, link);
  const size_t bytes = spk_blocks_f32_pack_size(weights, w->out_c, cols, rows);
  void *packed = bytes ? aligned(bytes) : NULL;
  chain->memory[link][0] = packed;
  if (!packed || spk_blocks_f32_pack(weights, w->out_c, cols, rows, packed, bytes) != SPK_OK ||
      stride * w->in_c > INT32_MAX)
    return "its weights could not be packed";
  const spk_blocks_f32_view blocks = spk_blocks_f32_view_of(packed);
  uint32_t *column = (uint32_t *)blocks.column;
  for (uint32_t b = 0; b < blocks.first[blocks.groups]; ++b) {
    const int32_t c = (int32_t)(column[b] % (uint32_t)w->in_c);
    const int32_t tap = (int32_t)(column[b] / (uint32_t)w->in_c);
    column[b] = (uint32_t)(c * stride + tap_offset(chain, link, tap));
  }
  chain->kernel_of[link].as.conv = (spk_planes_conv2d){.packed = packed,
                                                       .bias = chain->memory[link][1],
                                                       .rows = rows,
                                                       .channels = w->out_c,
                                                       .act_min = chain->links[link].act_min,
                                                       .act_max = chain->links[link].act_max};
  return NULL;
}

// (taps, channels) -> (channels, taps)
static const char *pack_depthwise(spk_chain *chain, int32_t link, const float *weights) {
  const spk_window2d *w = &chain->windows[link];
  const int32_t taps = w->kernel_h * w->kernel_w, channels = w->in_c;
  float *turned = aligned((size_t)taps * (size_t)channels * sizeof(float));
  int32_t *offset = aligned((size_t)taps * sizeof(int32_t));
  chain->memory[link][0] = turned;
  chain->memory[link][2] = offset;
  if (!turned || !offset) return "memory is short";
  for (int32_t t = 0; t < taps; ++t) {
    offset[t] = tap_offset(chain, link, t);
    for (int32_t c = 0; c < channels; ++c)
      turned[(size_t)c * (size_t)taps + (size_t)t] =
          weights[(size_t)t * (size_t)channels + (size_t)c];
  }
  chain->kernel_of[link].as.depthwise =
      (spk_planes_depthwise){.weights = turned,
                             .bias = chain->memory[link][1],
                             .offset = offset,
                             .taps = taps,
                             .channels = channels,
                             .act_min = chain->links[link].act_min,
                             .act_max = chain->links[link].act_max};
  return NULL;
}

const char *spk_chain_pack(spk_chain *chain, const spk_chain_layer *layers) {
  const char *reason = NULL;
  for (int32_t i = 0; i < chain->link_count && !reason; ++i) {
    const spk_link *link = &chain->links[i];
    const spk_window2d *w = &chain->windows[i];
    if (link->kind == SPK_LINK_POINTWISE) {
      if (link->dtype == SPK_F32) continue;
      chain->kernel_of[i].as.add_s8 = link->add_s8;
      chain->kernel_of[i].as.add_s8.planes = w->out_c / chain->kernels->channels;
      continue;
    }
    chain->kernel_of[i].reach =
        w->pad_top * spk_chain_input_layout(chain, i)->pitch + w->pad_left;
    chain->kernel_of[i].span = tap_offset(chain, i, w->kernel_h * w->kernel_w - 1);
    if (layers[i].layer.dtype == SPK_S8) {
      reason = spk_chain_pack_s8(chain, i, &layers[i]);
      continue;
    }
    if (!copy_bias(chain, i, layers[i].layer.bias)) return "memory is short";
    reason = link->kind == SPK_LINK_CONV_2D ? pack_conv2d(chain, i, layers[i].weights)
                                            : pack_depthwise(chain, i, layers[i].weights);
  }
  return reason;
}
