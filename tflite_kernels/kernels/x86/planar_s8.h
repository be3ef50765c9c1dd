// The parts of pixel-vectorised int8 convolution that do not depend on the vector length.
//
// The planes hold x + 128 as unsigned bytes, as the dot-product instructions want them; what
// that adds to a sum is taken off its first value.
#ifndef SPK_KERNELS_X86_PLANAR_S8_H_
#define SPK_KERNELS_X86_PLANAR_S8_H_

#include "kernels/planar.h"

void spk_planar_s8_pack_pixels(const void *const *pixels, int32_t count, int32_t channels,
                               void *planes, int32_t plane);
void spk_planar_s8_store(const void *tile, int32_t pixels, int32_t channels, const int32_t *to,
                         void *output);

// bias[channel] + sum of weights * (zero-point correction): where a sum over bytes starts.
int32_t spk_planar_s8_first(const spk_args *args, int32_t channel);

// tuples_s8 of n whose columns are offsets into the planes; behind those of four is the tail of
// channels_s8.h.
size_t spk_planar_s8_pairs_pack_size(const spk_layer *layer, const void *weights);
spk_status spk_planar_s8_pairs_pack(const spk_layer *layer, const void *weights, void *packed,
                                    size_t bytes);
size_t spk_planar_s8_quads_pack_size(const spk_layer *layer, const void *weights);
spk_status spk_planar_s8_quads_pack(const spk_layer *layer, const void *weights, void *packed,
                                    size_t bytes);
size_t spk_planar_s8_scratch(const spk_layer *layer);
size_t spk_planar_s8_quads_scratch(const spk_layer *layer);
int32_t spk_planar_s8_units(const spk_layer *layer);

// spk_planar_run() with the padding that the layer's zero point asks for.
void spk_planar_s8_run(const spk_args *args, const spk_planar_kernel *kernel);

// The same for tuples of four: compute() finds a spk_channels_s8 where else the packed weights
// are, and makes a tile of words of four channels, (channels / 4, kSpkMaxTile).
void spk_planar_s8_run_quads(const spk_args *args, const spk_planar_kernel *kernel);

#endif  // SPK_KERNELS_X86_PLANAR_S8_H_
