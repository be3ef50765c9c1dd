#include "kernels/x86/channels_s8.h"

#include <string.h>

#include "kernels/planar.h"
#include "kernels/x86/requantize_f32.h"

enum { kStoreFours = kSpkMaxTileChannels / kSpkFour };

static size_t padded_rows(const spk_layer *layer) {
  return ((size_t)layer->window.out_c + kSpkFour - 1) / kSpkFour * kSpkFour;
}

// first, scale, offset, below, multiplier and shift, and for every four channels the way and
// the order.
size_t spk_channels_s8_tail_bytes(const spk_layer *layer) {
  return padded_rows(layer) / kSpkFour * (6 * kSpkFour + 2) * sizeof(int32_t);
}

// Pieces of work of the groups of `height` rows; there may be none for the last rows of a four.
typedef struct group_pieces {
  const uint32_t *first;
  int32_t groups, height;
} group_pieces;

// The numbers of pieces of four channels, as one number to sort by.
static uint64_t count_key(const group_pieces *pieces, uint32_t four) {
  const int32_t groups = kSpkFour / pieces->height, begin = (int32_t)four * groups;
  uint64_t key = 0;
  for (int32_t g = begin; g < begin + groups && g < pieces->groups; ++g) {
    const uint32_t count = pieces->first[g + 1] - pieces->first[g];
    key = key << 16 | (count < 0xffff ? count : 0xffff);
  }
  return key;
}

// The channels of a tile in the order of their numbers of pieces: a processor foresees the end
// of a loop that is as long as the one before.
static void fill_order(const group_pieces *pieces, uint32_t fours, uint32_t *order) {
  for (uint32_t i = 0; i < fours; ++i) {
    const uint64_t key = count_key(pieces, i);
    const uint32_t begin = i / kStoreFours * kStoreFours;
    uint32_t at = i;
    for (; at > begin && count_key(pieces, order[at - 1]) > key; --at)
      order[at] = order[at - 1];
    order[at] = i;
  }
}

static spk_channels_s8 tail_of(const spk_layer *layer, const void *tail) {
  const spk_requant *q = &layer->requant;
  const size_t rows = padded_rows(layer);
  const int32_t *first = tail;
  const float *scale = (const float *)(const void *)(first + rows);
  const int32_t *multiplier = (const int32_t *)(const void *)(scale + 3 * rows);
  const uint32_t *way = (const uint32_t *)(const void *)(multiplier + 2 * rows);
  return (spk_channels_s8){
      .requant = q,
      .rows = layer->window.out_c,
      .first = first,
      .scale = scale,
      .offset = scale + rows,
      .below = scale + 2 * rows,
      .multiplier = multiplier,
      .shift = multiplier + rows,
      .way = way,
      .order = way + rows / kSpkFour,
      .away = q->act_min < q->output_offset,
      .clamps = q->act_max - q->act_min < 255,
  };
}

// The first way that all four channels can go.
static spk_channel_way way_of(const float *scale, const int32_t *shift) {
  spk_channel_way way = SPK_WAY_F32;
  for (int i = 0; i < kSpkFour && way == SPK_WAY_F32; ++i)
    if (scale[i] == 0.0f) way = SPK_WAY_ONCE;
  for (int i = 0; i < kSpkFour && way == SPK_WAY_ONCE; ++i)
    if (shift[i] > -1 || shift[i] < -22) way = SPK_WAY_REFERENCE;
  return way;
}

void spk_channels_s8_fill_tail(const spk_layer *layer, const int8_t *weights,
                               const uint32_t *first, int32_t groups, int32_t height,
                               void *tail) {
  const spk_requant *q = &layer->requant;
  const spk_channels_s8 at = tail_of(layer, memset(tail, 0, spk_channels_s8_tail_bytes(layer)));
  const int32_t *bias = layer->bias;
  for (int32_t o = 0; o < at.rows; ++o) {
    const int8_t *row = weights + (size_t)o * (size_t)spk_layer_cols(layer);
    const spk_channel_sums sums = spk_sums_of_channel(layer, row, 1, o);
    const spk_scale_f32 found = spk_find_scale_f32(q, o, &sums.range);
    // Modulo 2^32 like all sums.
    ((uint32_t *)at.first)[o] = (bias ? (uint32_t)bias[o] : 0u) +
                                (uint32_t)sums.weights * (uint32_t)(q->input_offset - 128);
    ((float *)at.scale)[o] = found.scale;
    ((float *)at.offset)[o] = found.offset;
    ((float *)at.below)[o] = found.below;
    ((int32_t *)at.multiplier)[o] = q->multiplier[o];
    ((int32_t *)at.shift)[o] = q->shift[o];
  }
  for (size_t o = (size_t)at.rows; o < padded_rows(layer); ++o) {
    ((float *)at.scale)[o] = 1.0f;
    ((int32_t *)at.shift)[o] = -1;
  }
  for (size_t o = 0; o < padded_rows(layer); o += kSpkFour)
    ((uint32_t *)at.way)[o / kSpkFour] = (uint32_t)way_of(at.scale + o, at.shift + o);
  const group_pieces pieces = {first, groups, height};
  fill_order(&pieces, (uint32_t)padded_rows(layer) / kSpkFour, (uint32_t *)at.order);
}

spk_channels_s8 spk_channels_s8_of(const spk_layer *layer, const void *packed,
                                   const void *tail) {
  spk_channels_s8 channels = tail_of(layer, tail);
  channels.packed = packed;
  return channels;
}
