#include "kernels/x86/channels_s8.h"

#include "kernels/planar.h"
#include "kernels/x86/requantize_f32.h"

enum { kAlign = 64, kStoreFours = kSpkMaxTileChannels / kSpkFour };

static size_t padded_rows(const spk_layer *layer) {
  return ((size_t)layer->window.out_c + kSpkFour - 1) / kSpkFour * kSpkFour;
}

// scale, offset and below, and a word of the order for every four channels.
size_t spk_channels_s8_tail_bytes(const spk_layer *layer) {
  return padded_rows(layer) * (3 * sizeof(float) + sizeof(uint32_t) / kSpkFour);
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

// What the weights of a row and its bias can sum up to.
static spk_sum_range range_of(const spk_layer *layer, const int8_t *row, int32_t channel) {
  const int32_t *bias = layer->bias;
  const int32_t most_input = 127 + layer->requant.input_offset, least_input = most_input - 255;
  spk_sum_range range = {bias ? bias[channel] : 0, bias ? bias[channel] : 0};
  for (int32_t i = 0, cols = spk_layer_cols(layer); i < cols; ++i) {
    range.most += row[i] * (int64_t)(row[i] > 0 ? most_input : least_input);
    range.least += row[i] * (int64_t)(row[i] > 0 ? least_input : most_input);
  }
  return range;
}

void spk_channels_s8_fill_tail(const spk_layer *layer, const int8_t *weights,
                               const uint32_t *first, int32_t groups, int32_t height,
                               void *tail) {
  const int32_t rows = (int32_t)padded_rows(layer);
  float *scale = tail, *offset = scale + rows, *below = offset + rows;
  for (int32_t o = 0; o < rows; ++o) {
    scale[o] = offset[o] = below[o] = 0.0f;
    if (o >= layer->window.out_c) continue;
    const int8_t *row = weights + (size_t)o * (size_t)spk_layer_cols(layer);
    const spk_sum_range range = range_of(layer, row, o);
    const spk_scale_f32 found = spk_find_scale_f32(&layer->requant, o, &range);
    scale[o] = found.scale;
    offset[o] = found.offset;
    below[o] = found.below;
  }
  const group_pieces pieces = {first, groups, height};
  fill_order(&pieces, (uint32_t)rows / kSpkFour, (uint32_t *)(void *)(below + rows));
}

static size_t scratch_rows(const spk_layer *layer) {
  return ((size_t)layer->window.out_c + kAlign - 1) / kAlign * kAlign;
}

// first, multiplier and shift of 4 bytes, constant of 8, is_any of 1.
size_t spk_channels_s8_scratch(const spk_layer *layer) { return scratch_rows(layer) * 21; }

// bias + sum of weights * (zero-point correction), modulo 2^32 like all sums.
static void fill_first(const spk_layer *layer, const int32_t *sum, int32_t *first) {
  const int32_t *bias = layer->bias, rows = layer->window.out_c;
  const uint32_t offset = (uint32_t)(layer->requant.input_offset - 128);
  for (int32_t o = 0; o < rows; ++o)
    first[o] = (int32_t)((bias ? (uint32_t)bias[o] : 0u) + (uint32_t)sum[o] * offset);
  for (int32_t o = rows; o % kSpkFour; ++o) first[o] = 0;
}

static void fill_factors(const spk_requant *q, int32_t rows, int32_t *multiplier,
                         int64_t *constant, int32_t *shift) {
  for (int32_t o = 0; o < rows; ++o) {
    const int s = -q->shift[o] & 31;
    multiplier[o] = q->multiplier[o];
    constant[o] = (int64_t)((UINT64_C(1) << 30) + (UINT64_C(1) << (30 + s)) +
                            ((uint64_t)(int64_t)q->output_offset << (31 + s)));
    shift[o] = s - 1;
  }
  for (int32_t o = rows; o % kSpkFour; ++o) constant[o] = multiplier[o] = shift[o] = 0;
}

static void find_any(const spk_requant *q, int32_t rows, const float *scale, uint8_t *is_any) {
  for (int32_t o = 0; o < rows; o += kSpkFour) {
    is_any[o / kSpkFour] = 0;
    for (int32_t i = o; i < o + kSpkFour && i < rows; ++i)
      is_any[o / kSpkFour] |= scale[i] == 0.0f && (q->shift[i] > -1 || q->shift[i] < -22);
  }
}

spk_channels_s8 spk_channels_s8_prepare(const spk_args *args, const int32_t *sum,
                                        const void *tail, void *scratch) {
  const spk_layer *layer = args->layer;
  const spk_requant *q = &layer->requant;
  const int32_t rows = layer->window.out_c;
  const size_t padded = padded_rows(layer), room = scratch_rows(layer);
  const float *scale = tail;
  int64_t *constant = scratch;
  int32_t *first = (int32_t *)(void *)(constant + room);
  int32_t *multiplier = first + room, *shift = multiplier + room;
  uint8_t *is_any = (uint8_t *)(shift + room);
  fill_first(layer, sum, first);
  fill_factors(q, rows, multiplier, constant, shift);
  find_any(q, rows, scale, is_any);
  return (spk_channels_s8){
      .packed = args->packed,
      .requant = q,
      .rows = rows,
      .first = first,
      .scale = scale,
      .offset = scale + padded,
      .below = scale + 2 * padded,
      .multiplier = multiplier,
      .constant = constant,
      .shift = shift,
      .is_any = is_any,
      .order = (const uint32_t *)(const void *)(scale + 3 * padded),
      .away = q->act_min<q->output_offset, .clamps = q->act_min> - 128 || q->act_max < 127,
  };
}
