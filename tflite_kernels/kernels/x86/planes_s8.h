// int8 convolutions and sums on planes (planes.h) of four channels.
//
// Output offsets and the ends of activations are those of x + 128, which is what planes hold.
#ifndef SPK_KERNELS_X86_PLANES_S8_H_
#define SPK_KERNELS_X86_PLANES_S8_H_

#include "kernels/x86/channels_s8.h"
#include "kernels/x86/planes.h"
#include "spk/kernels_s8.h"

// A sparse convolution of one pixel. `channels.packed` is blocks4_s8 of height 1, 2 or 4, split
// (split_blocks4_s8.h) if the kernels want it, whose places are offsets in bytes from `at` of
// the input tile.
typedef struct spk_planes_conv2d_s8 {
  spk_channels_s8 channels;
  int32_t height;
} spk_planes_conv2d_s8;

// A plane of a depthwise convolution: int8 weights of its four channels, and what turns their
// sums to int8 in float32 (requantize_f32.h).
typedef struct spk_planes_taps_s8 {
  int8_t weights[3][4][4];  // (columns, channels, the rows of a column and a zero)
  int32_t first[4];         // where the sum over x + 128 starts
  float scale[4], offset[4], below[4];
  uint32_t is_exact;  // all scales are; else the ends are taken
  uint32_t unused[3];
} spk_planes_taps_s8;

// A depthwise convolution of 3x3. `packed`: the planes, and behind them the ends
// (depthwise_s8.h) with 16 lanes for each plane, its four channels four times.
typedef struct spk_planes_depthwise_s8 {
  const spk_requant *requant;
  const spk_planes_taps_s8 *packed;
  int32_t planes;
  int32_t pitch;  // words from one row of the window to the next
} spk_planes_depthwise_s8;

// A sum a + b, all three as x + 128, to the bit as spk_add_s8__ref() rounds it:
//   (first_high + a high[0] + b high[1] + ((first_low + a low[0] + b low[1]) >> 15)) >> shift
// Scales have 30 bits, of which two halves are multiplied as int16.
enum { kSpkPlanesLowBits = 15 };
typedef struct spk_planes_add_s8 {
  int16_t high[2], low[2];
  int32_t first_high, first_low, shift;
  int32_t act_min, act_max;
  int32_t planes;
} spk_planes_add_s8;

// Finds all but `planes`. 0 where no such numbers round all sums alike.
int spk_planes_add_s8_fit(const spk_add *add, spk_planes_add_s8 *fitted);

// store() of planes.h.
void spk_planes_s8_store_avx2(spk_planes_tile from, int32_t pixels, int32_t channels,
                              const int32_t *to, void *output);
void spk_planes_s8_store_avx512(spk_planes_tile from, int32_t pixels, int32_t channels,
                                const int32_t *to, void *output);

size_t spk_planes_depthwise_s8_bytes(const spk_layer *layer);
void spk_planes_depthwise_s8_pack(const spk_layer *layer, const int8_t *weights,
                                  spk_planes_taps_s8 *packed);

#endif  // SPK_KERNELS_X86_PLANES_S8_H_
