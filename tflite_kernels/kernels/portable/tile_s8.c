// Packing and storing of pixel tiles (see spk/tile_s8.h).
// Where processors have kernels of their own this serves what those leave; -O3 would double it.
#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("O2")
#endif

#include "spk/tile_s8.h"

#include "spk/requantize_s8.h"

size_t spk_tile_s8_bytes(const spk_window2d *w) {
  return (size_t)w->kernel_h * (size_t)w->kernel_w * (size_t)w->in_c * SPK_TILE_WORDS *
         sizeof(int32_t);
}

// The input corner under an output pixel: where tap (0, 0) reads.
typedef struct corner {
  int32_t y, x;
  const int8_t *image;
} corner;

static corner corner_of(const spk_window2d *w, const int8_t *input, int32_t pixel) {
  const int32_t in_image = pixel / w->out_w;
  const int32_t x = pixel - in_image * w->out_w;
  const int32_t b = in_image / w->out_h;
  const int32_t y = in_image - b * w->out_h;
  const corner at = {y * w->stride_h - w->pad_top, x * w->stride_w - w->pad_left,
                     input + (ptrdiff_t)b * w->in_h * w->in_w * w->in_c};
  return at;
}

// The channels that a tap reads, or NULL in the padding.
static const int8_t *tap(const spk_window2d *w, const corner *at, int32_t dy, int32_t dx) {
  const int32_t y = at->y + dy, x = at->x + dx;
  if ((uint32_t)y >= (uint32_t)w->in_h || (uint32_t)x >= (uint32_t)w->in_w) return NULL;
  return at->image + ((ptrdiff_t)y * w->in_w + x) * w->in_c;
}

#if defined(__ARM_ARCH) && __ARM_ARCH == 6

static void pack_word(const int8_t *restrict pixel, int32_t offset, int32_t channels,
                      int32_t *restrict tile) {
  for (int32_t c = 0; c < channels; ++c, tile += SPK_TILE_WORDS) {
    *tile = pixel != NULL ? pixel[c] + offset : 0;
  }
}

// Three of the words are those that the tap before has of the next pixels.
static void pack_next(const int8_t *restrict pixel, int32_t offset, int32_t channels,
                      const int32_t *from, int32_t *tile) {
  for (int32_t c = 0; c < channels; ++c, from += SPK_TILE_WORDS, tile += SPK_TILE_WORDS) {
    const int32_t next = pixel != NULL ? pixel[c] + offset : 0;
    const int32_t first = from[1], second = from[2], third = from[3];
    tile[0] = first, tile[1] = second, tile[2] = third, tile[3] = next;
  }
}

// Does each pixel read with a tap what the one before it reads with the next tap?
static int slides(const spk_window2d *w, const corner *at) {
  if (w->stride_w != w->dilation_w) return 0;
  for (int i = 1; i < SPK_TILE_WORDS; ++i) {
    if (at[i].y != at[0].y || at[i].image != at[0].image) return 0;
    if (at[i].x != at[i - 1].x + w->stride_w) return 0;
  }
  return 1;
}

static void pack_tap(const spk_window2d *w, const corner *at, int32_t offset, int32_t dy,
                     int32_t dx, int32_t *tile) {
  if (dx > 0 && slides(w, at)) {
    pack_next(tap(w, &at[3], dy, dx), offset, w->in_c, tile - w->in_c * SPK_TILE_WORDS, tile);
    return;
  }
  for (int i = 0; i < SPK_TILE_WORDS; ++i) {
    pack_word(tap(w, &at[i], dy, dx), offset, w->in_c, tile + i);
  }
}

#else

static void pack_one(const int8_t *restrict pixel, int32_t offset, int32_t scale,
                     int32_t channels, int32_t *restrict tile) {
  for (int32_t c = 0; c < channels; ++c) tile[c * SPK_TILE_WORDS] = (pixel[c] + offset) * scale;
}

static void pack_two(const int8_t *restrict low, const int8_t *restrict high, int32_t offset,
                     int32_t channels, int32_t *restrict tile) {
  const int32_t both = offset * ((1 << 23) + 1);
  for (int32_t c = 0; c < channels; ++c) {
    tile[c * SPK_TILE_WORDS] = low[c] + high[c] * (1 << 23) + both;
  }
}

static void pack_none(int32_t channels, int32_t *restrict tile) {
  for (int32_t c = 0; c < channels; ++c) tile[c * SPK_TILE_WORDS] = 0;
}

static void pack_tap(const spk_window2d *w, const corner *at, int32_t offset, int32_t dy,
                     int32_t dx, int32_t *tile) {
  for (int i = 0; i < SPK_TILE_WORDS; ++i) {
    const int8_t *low = tap(w, &at[i], dy, dx);
    const int8_t *high = tap(w, &at[i + SPK_TILE_WORDS], dy, dx);
    if (low != NULL && high != NULL) {
      pack_two(low, high, offset, w->in_c, tile + i);
    } else if (low != NULL) {
      pack_one(low, offset, 1, w->in_c, tile + i);
    } else if (high != NULL) {
      pack_one(high, offset, 1 << 23, w->in_c, tile + i);
    } else {
      pack_none(w->in_c, tile + i);
    }
  }
}

#endif

void spk_tile_s8_pack(const spk_window2d *w, int32_t input_offset, const int8_t *input,
                      int32_t first, int32_t pixels, int32_t *tile) {
  corner at[SPK_TILE_PIXELS];
  for (int32_t i = 0; i < SPK_TILE_PIXELS; ++i) {
    const int32_t pixel = first + i < pixels ? first + i : pixels - 1;
    at[i] = corner_of(w, input, pixel);
  }
  for (int32_t ky = 0; ky < w->kernel_h; ++ky) {
    for (int32_t kx = 0; kx < w->kernel_w; ++kx) {
      pack_tap(w, at, input_offset, ky * w->dilation_h, kx * w->dilation_w, tile);
      tile += w->in_c * SPK_TILE_WORDS;
    }
  }
}

#if defined(__ARM_ARCH) && __ARM_ARCH == 6
enum { LANE_BIAS = 0 };
SPK_INLINE int32_t pixel_of(const spk_lanes acc[SPK_TILE_WORDS], int i) { return acc[i]; }
#else
// What the low lane holds too much; the high lane holds its pixel exactly.
enum { LANE_BIAS = SPK_LANES_EMPTY };

SPK_INLINE int32_t pixel_of(const spk_lanes acc[SPK_TILE_WORDS], int i) {
  const uint64_t both = (uint64_t)acc[i % SPK_TILE_WORDS];
  const uint32_t low = (uint32_t)both, high = (uint32_t)(both >> 32);
  return (int32_t)(i < SPK_TILE_WORDS ? low & ((1u << 23) - 1) : high << 9 | low >> 23);
}
#endif

void spk_tile_s8_empty(const spk_lanes acc[SPK_TILE_WORDS], int32_t sums[SPK_TILE_PIXELS]) {
  for (int i = 0; i < SPK_TILE_PIXELS; ++i) {
    sums[i] += pixel_of(acc, i) - (i < SPK_TILE_WORDS ? LANE_BIAS : 0);
  }
}

// Any activation, left shifts, FULLY_CONNECTED, fewer pixels than a tile has.
static void store_any(const int32_t sums[SPK_TILE_PIXELS], const spk_requant *q,
                      const spk_tile_end *end) {
  int8_t *output = end->output;
  for (int32_t i = 0; i < end->count; ++i, output += end->out_c) {
    *output = q->round_once ? spk_requantize_once_s8(sums[i], q, end->channel)
                            : spk_requantize_s8(sums[i], q, end->channel);
  }
}

static int is_common(const spk_requant *q, const spk_tile_end *end) {
  return !q->round_once && q->shift[end->channel] < 0 && q->act_min == -128 &&
         q->act_max == 127 && end->count == SPK_TILE_PIXELS &&
         spk_sum_is_small(end->bias, end->terms);
}

void spk_tile_s8_store_sums(const int32_t sums[SPK_TILE_PIXELS], const spk_requant *q,
                            const spk_tile_end *end) {
  if (!is_common(q, end)) {
    store_any(sums, q, end);
    return;
  }
  const spk_channel_scale s = spk_scale_of(q, end->channel);
  int8_t *output = end->output;
  for (int i = 0; i < SPK_TILE_PIXELS; ++i, output += end->out_c) {
    *output = (int8_t)spk_saturate_s8(spk_scale_s8(sums[i], s));
  }
}

void spk_tile_s8_store(const spk_lanes acc[SPK_TILE_WORDS], const spk_requant *q,
                       const spk_tile_end *end) {
  if (!is_common(q, end)) {
    int32_t sums[SPK_TILE_PIXELS];
    for (int i = 0; i < SPK_TILE_PIXELS; ++i) sums[i] = end->bias;
    spk_tile_s8_empty(acc, sums);
    store_any(sums, q, end);
    return;
  }
  const spk_channel_scale s = spk_scale_of(q, end->channel);
  const int32_t low = end->bias - LANE_BIAS, high = end->bias, out_c = end->out_c;
  int8_t *output = end->output;
  for (int i = 0; i < SPK_TILE_PIXELS; ++i, output += out_c) {
    const int32_t sum = (i < SPK_TILE_WORDS ? low : high) + pixel_of(acc, i);
    *output = (int8_t)spk_saturate_s8(spk_scale_s8(sum, s));
  }
}
