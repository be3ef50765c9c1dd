// What turns the sums of an output channel to int8, made ready before a layer runs.
//
// There are three ways, each exact where it is taken, and four channels go the same: in float32
// (requantize_f32.h); in one multiplication of integers, see requantize.h; and as the reference
// does, for unusual shifts.
#ifndef SPK_KERNELS_X86_CHANNELS_S8_H_
#define SPK_KERNELS_X86_CHANNELS_S8_H_

#include "spk/kernel_table.h"

enum { kSpkFour = 4 };

typedef enum spk_channel_way { SPK_WAY_F32, SPK_WAY_ONCE, SPK_WAY_REFERENCE } spk_channel_way;

// Rows are filled up to a multiple of four, with zeros.
typedef struct spk_channels_s8 {
  const void *packed;
  const spk_requant *requant;
  int32_t rows;
  const int32_t *first;  // where the sum over x + 128 starts
  const float *scale;
  const float *offset, *below;  // for sums from 0 on, and below
  const int32_t *multiplier, *shift;
  const uint32_t *way;    // (rows / 4,): an spk_channel_way
  const uint32_t *order;  // (rows / 4,): which four channels to compute after which
  int away;               // the activation cuts off no negative sums: their ties round down
  int clamps;             // to less than a byte holds
} spk_channels_s8;

// All of it stands in a tail behind the packed weights, whose bytes are a multiple of 4.
size_t spk_channels_s8_tail_bytes(const spk_layer *layer);

// `weights` are dense; `first` (groups + 1,) counts the pieces of work up to each group of
// `height` rows.
void spk_channels_s8_fill_tail(const spk_layer *layer, const int8_t *weights,
                               const uint32_t *first, int32_t groups, int32_t height,
                               void *tail);

spk_channels_s8 spk_channels_s8_of(const spk_layer *layer, const void *packed,
                                   const void *tail);

#endif  // SPK_KERNELS_X86_CHANNELS_S8_H_
