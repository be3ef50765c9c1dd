// DEPTHWISE_CONV_2D on Arm cores with the DSP extension.
//
// Every channel has a plane of words: a word carries two pixels of the input, half an
// image apart, the second 23 bits above the first (see spk/tile_s8.h). Neighbouring
// outputs read neighbouring words, so one weight meets eight or ten pixels.
#ifndef SPK_DEPTHWISE_ARMV7EM_H_
#define SPK_DEPTHWISE_ARMV7EM_H_

#include "spk/armv7em.h"

enum { SPK_MOST_TAPS = 64 };  // 64 * 255 * 128 < 2^21: the room of a low lane

// Outputs of one channel: lines of tiles, a tile being 4 or 5 neighbours in two places.
// Weights are shifted left by 10: then the high lane of an accumulator is twice its sum,
// and the low lane, of 22 bits, is shifted right by 9.
typedef struct spk_depthwise_lines {
  int32_t start[10];  // the accumulators: {0, twice the bias} for each word of a tile
  int32_t low_bias, multiplier, offset, right;  // see spk_channel
  const int32_t *x, *x_end;        // words under the first tile of a line; behind the last
  int8_t *low, *high;              // outputs of the two lanes
  int32_t step, tile_step;         // bytes to the next output, to the next tile
  int32_t row;                     // bytes to the next row of words
  int32_t is_floor;                // the output offset is -128
  int32_t lines;                   // how many
  int32_t line;                    // bytes of words to the next line
  int32_t next_x, next_output;     // from the end of a line to the next line
  const int32_t *taps, *taps_end;  // pairs of a distance in bytes and a weight
  int32_t weights[9];
} spk_depthwise_lines;

// 3x3 taps on neighbouring words, and any taps.
void spk_depthwise_3x3_by_4__armv7em(const spk_depthwise_lines *job);
void spk_depthwise_3x3_by_5__armv7em(const spk_depthwise_lines *job);
void spk_depthwise_taps_by_4__armv7em(const spk_depthwise_lines *job);

// `count` words of four planes from four neighbouring channels of pixels `low_step` and
// `high_step` bytes apart.
void spk_pack_planes__armv7em(const int8_t *low, const int8_t *high, int32_t low_step,
                              int32_t high_step, int32_t both, int32_t count, int32_t *words,
                              int32_t plane_bytes);

#endif  // SPK_DEPTHWISE_ARMV7EM_H_
