#include "kernels/x86/depthwise_s8.h"

#include <string.h>

#include "kernels/x86/requantize_f32.h"

static const int32_t kMaxKernel = 64;
static const size_t kMaxScratch = (size_t)4 << 20;

spk_depthwise_ends spk_depthwise_ends_of(const void *packed, size_t lanes) {
  int32_t *sum = (int32_t *)packed;
  float *scale = (float *)(void *)(sum + 4 * lanes);
  return (spk_depthwise_ends){.sum = sum,
                              .bias = sum + lanes,
                              .multiplier = sum + 2 * lanes,
                              .shift = sum + 3 * lanes,
                              .scale = scale,
                              .offset = scale + lanes,
                              .below = scale + 2 * lanes};
}

void spk_depthwise_clear_ends(const spk_depthwise_ends *ends, size_t lanes) {
  memset(ends->sum, 0, lanes * kSpkDepthwiseEndBytes);
  for (size_t i = 0; i < lanes; ++i) ends->shift[i] = -1, ends->scale[i] = 1.0f;
}

void spk_depthwise_fill_end(const spk_layer *layer, const int8_t *weights, int32_t channel,
                            const spk_depthwise_ends *ends, size_t at) {
  const spk_channel_sums sums =
      spk_sums_of_channel(layer, weights + channel, layer->window.out_c, channel);
  const spk_scale_f32 found = spk_find_scale_f32(&layer->requant, channel, &sums.range);
  ends->sum[at] = sums.weights;
  ends->bias[at] = layer->bias ? ((const int32_t *)layer->bias)[channel] : 0;
  ends->multiplier[at] = layer->requant.multiplier[channel];
  ends->shift[at] = layer->requant.shift[channel];
  ends->scale[at] = found.scale;
  ends->offset[at] = found.offset;
  ends->below[at] = found.below;
}

void spk_depthwise_copy_end(const spk_depthwise_ends *ends, size_t from, size_t to) {
  ends->sum[to] = ends->sum[from];
  ends->bias[to] = ends->bias[from];
  ends->multiplier[to] = ends->multiplier[from];
  ends->shift[to] = ends->shift[from];
  ends->scale[to] = ends->scale[from];
  ends->offset[to] = ends->offset[from];
  ends->below[to] = ends->below[from];
}

static int32_t divide_up(int32_t a, int32_t b) { return (a - 1) / b + 1; }

spk_depthwise_shape spk_depthwise_shape_of(const spk_layer *layer, int32_t lanes) {
  const spk_window2d *w = &layer->window;
  spk_depthwise_shape s = {.lanes = lanes};
  s.groups = divide_up(w->out_c, lanes);
  s.chunks = divide_up(s.groups, 4);
  s.variants = w->stride_w == 1 ? 2 : 1;
  s.quads = divide_up(w->kernel_w + s.variants - 1, 4);
  const int32_t used = divide_up(w->out_w, s.variants);
  const int32_t tile = 8 / s.variants;  // eight outputs are computed together
  s.positions = divide_up(used, tile) * tile + 2 * (s.quads - 1);
  s.ring = (w->kernel_h - 1) * w->dilation_h + 1;
  s.bands = layer->threads > 1 ? layer->threads : 1;
  if (s.bands > w->out_h) s.bands = w->out_h;
  s.weights = ((size_t)s.groups * lanes * kSpkDepthwiseEndBytes + 63) & ~(size_t)63;
  return s;
}

static int is_supported(const spk_layer *layer) {
  const spk_window2d *w = &layer->window;
  return w->stride_w <= 2 && w->dilation_w == 1 && w->kernel_w <= kMaxKernel &&
         w->kernel_h <= kMaxKernel;
}

// Rows of quads and one more that is all padding, a pixel of padding, and an input row in which
// the channels are repeated.
static size_t scratch_of(const spk_layer *layer, int32_t lanes) {
  const spk_window2d *w = &layer->window;
  const spk_depthwise_shape s = spk_depthwise_shape_of(layer, lanes);
  const size_t chunk = 4 * (size_t)lanes, row = (size_t)s.positions * chunk * 4;
  const size_t repeated = w->out_c == w->in_c ? 0 : (size_t)w->in_w * chunk;
  return (size_t)(s.ring + 1) * row + chunk + repeated;
}

static size_t size_of(const spk_layer *layer, int32_t lanes) {
  if (!is_supported(layer) || scratch_of(layer, lanes) > kMaxScratch) return 0;
  const spk_depthwise_shape s = spk_depthwise_shape_of(layer, lanes);
  const size_t vectors = (size_t)s.groups * layer->window.kernel_h * s.quads * s.variants;
  return s.weights + vectors * (size_t)lanes * 4;
}

static size_t size_without_minimum(const spk_layer *layer, const void *weights, int32_t lanes) {
  const size_t size = (size_t)layer->window.out_c * spk_layer_cols(layer);
  return memchr(weights, 0x80, size) ? 0 : size_of(layer, lanes);
}

static spk_status pack(const spk_layer *layer, const int8_t *weights, uint8_t *packed,
                       size_t bytes, int32_t lanes) {
  const spk_window2d *w = &layer->window;
  const spk_depthwise_shape s = spk_depthwise_shape_of(layer, lanes);
  const size_t size = size_of(layer, lanes);
  if (bytes < size) return SPK_ERR_SPACE;
  memset(packed, 0, size);
  const spk_depthwise_ends ends = spk_depthwise_ends_of(packed, (size_t)s.groups * lanes);
  spk_depthwise_clear_ends(&ends, (size_t)s.groups * lanes);
  for (int32_t c = 0; c < w->out_c; ++c)
    spk_depthwise_fill_end(layer, weights, c, &ends, (size_t)c);
  const size_t row = (size_t)s.quads * s.variants * lanes * 4;  // of one group
  for (int32_t ky = 0; ky < w->kernel_h; ++ky) {
    for (int32_t kx = 0; kx < w->kernel_w; ++kx) {
      const int8_t *from = weights + ((size_t)ky * w->kernel_w + kx) * w->out_c;
      for (int32_t c = 0; c < w->out_c; ++c) {
        const size_t group = (size_t)(c / lanes), lane = (size_t)(c % lanes);
        for (int32_t v = 0; v < s.variants; ++v) {
          const size_t column = (size_t)kx + v;
          int8_t *to = (int8_t *)packed + s.weights + (group * w->kernel_h + ky) * row;
          to += ((column / 4 * s.variants + v) * lanes + lane) * 4;
          to[column % 4] = from[c];
        }
      }
    }
  }
  return SPK_OK;
}

#define SPK_DEPTHWISE_FUNCTIONS(isa, lanes, size)                                       \
  size_t spk_depthwise_##isa##_pack_size(const spk_layer *layer, const void *weights) { \
    return size;                                                                        \
  }                                                                                     \
  spk_status spk_depthwise_##isa##_pack(const spk_layer *layer, const void *weights,    \
                                        void *packed, size_t bytes) {                   \
    return pack(layer, weights, packed, bytes, lanes);                                  \
  }                                                                                     \
  size_t spk_depthwise_##isa##_scratch(const spk_layer *layer) {                        \
    return scratch_of(layer, lanes);                                                    \
  }                                                                                     \
  int32_t spk_depthwise_##isa##_units(const spk_layer *layer) {                         \
    const spk_depthwise_shape s = spk_depthwise_shape_of(layer, lanes);                 \
    return layer->window.batch * s.chunks * s.bands;                                    \
  }
SPK_DEPTHWISE_FUNCTIONS(avx2, 8, size_without_minimum(layer, weights, 8))
SPK_DEPTHWISE_FUNCTIONS(avxvnni, 8, ((void)weights, size_of(layer, 8)))
SPK_DEPTHWISE_FUNCTIONS(avx512, 16, ((void)weights, size_of(layer, 16)))
