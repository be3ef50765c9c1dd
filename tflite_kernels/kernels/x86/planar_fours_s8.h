// int8 convolution by 1x4, 2x4 or 4x4 blocks: the parts that do not depend on the vector
// length.
//
// A plane holds four neighbouring input channels, one 32-bit word of x + 128 for each pixel, as
// the dot-product instructions want them. Where the channels are no multiple of four, a row of
// the window makes the words, kernel_w * in_c neighbouring bytes: the layer then has as many
// columns of pixels as outputs, and a window of one column. Four output channels at a time
// become words of a tile in the same layout; what makes NHWC of them is the step that a chain
// of such layers can omit.
#ifndef SPK_KERNELS_X86_PLANAR_FOURS_S8_H_
#define SPK_KERNELS_X86_PLANAR_FOURS_S8_H_

#include "kernels/planar.h"
#include "kernels/x86/channels_s8.h"

// blocks4_s8 whose places are byte offsets into the planes, and behind them the tail of
// channels_s8.h. `split` blocks are those of split_blocks4_s8.h.
#define SPK_PLANAR_FOURS_FUNCTIONS(height)                                                     \
  size_t spk_planar_s8_blocks##height##x4_pack_size(const spk_layer *layer,                    \
                                                    const void *weights);                      \
  spk_status spk_planar_s8_blocks##height##x4_pack(                                            \
      const spk_layer *layer, const void *weights, void *packed, size_t bytes);                \
  size_t spk_planar_s8_split##height##x4_pack_size(const spk_layer *layer,                     \
                                                   const void *weights);                       \
  spk_status spk_planar_s8_split##height##x4_pack(const spk_layer *layer, const void *weights, \
                                                  void *packed, size_t bytes);
SPK_PLANAR_FOURS_FUNCTIONS(1)
SPK_PLANAR_FOURS_FUNCTIONS(2)
SPK_PLANAR_FOURS_FUNCTIONS(4)
#undef SPK_PLANAR_FOURS_FUNCTIONS

// The layer as planar.h computes it: with words for input channels. Returns the length of the
// runs that the columns of its weights are cut into, 0 where it is not supported.
int32_t spk_planar_fours_s8_view(const spk_layer *layer, spk_layer *view);

size_t spk_planar_fours_s8_scratch(const spk_layer *layer);
int32_t spk_planar_fours_s8_units(const spk_layer *layer);

// pack() and store() of a kernel. The tile holds words of four channels,
// (channels / 4, kSpkMaxTile).
void spk_planar_fours_s8_pack_pixels(const void *const *pixels, int32_t count, int32_t channels,
                                     void *planes, int32_t plane);
void spk_planar_fours_s8_store(const void *tile, int32_t pixels, int32_t channels,
                               const int32_t *to, void *output);
void spk_planar_fours_s8_pack_avx512(const void *const *pixels, int32_t count, int32_t channels,
                                     void *planes, int32_t plane);
void spk_planar_fours_s8_store_avx512(const void *tile, int32_t pixels, int32_t channels,
                                      const int32_t *to, void *output);

// Runs `kernel`, whose compute() finds a spk_channels_s8 where else the packed weights are.
void spk_planar_fours_s8_run(const spk_args *args, const spk_planar_kernel *kernel);

#endif  // SPK_KERNELS_X86_PLANAR_FOURS_S8_H_
