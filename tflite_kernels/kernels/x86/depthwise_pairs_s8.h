// Dense int8 3x3 DEPTHWISE_CONV_2D by columns, AVX2 without VNNI: geometry and packed weights.
//
// vpmaddwd multiplies pairs of 16-bit inputs. The two upper inputs of a column of the window
// are a pair, and the lower ones of two neighbouring columns: five multiplications for nine
// taps, exact for all weights. Pairs are made in registers, and those that the next outputs
// also see stay there. Columns come by twos, for two outputs with stride 1 and one with stride
// 2, so that with stride 1 the lower pairs meet the weights in another place every second time.
//
// A part is 16 channels. Interleaving leaves its channel 8 i + 4 g + j in lane 4 i + j of
// vector g. Four parts at a time go through a row, as they share the lines of the cache.
//
// Packed weights: the ends (depthwise_s8.h) and int16 weights[parts][2 vectors][7][8][2]: the
// upper pairs of the three columns; of the lower row 0 and 1, 2 and nothing; with stride 1
// nothing and 0, 1 and 2. 16 lanes of ends for each part.
#ifndef SPK_KERNELS_X86_DEPTHWISE_PAIRS_S8_H_
#define SPK_KERNELS_X86_DEPTHWISE_PAIRS_S8_H_

#include "kernels/x86/depthwise_s8.h"

enum {
  kSpkPart = 16,
  kSpkPartsTogether = 4,
  kSpkPairVectors = 7,
  kSpkPartWeights = kSpkPairVectors * kSpkPart * 2,  // numbers, not bytes
};

// Four parts of each image are cut into bands of rows.
typedef struct spk_pairs_shape {
  int32_t parts, chunks;  // of channels
  int32_t bands;
  size_t weights;  // where they start
} spk_pairs_shape;

spk_pairs_shape spk_pairs_shape_of(const spk_layer *layer);

size_t spk_pairs_s8_pack_size(const spk_layer *layer, const void *weights);
spk_status spk_pairs_s8_pack(const spk_layer *layer, const void *weights, void *packed,
                             size_t bytes);
size_t spk_pairs_s8_scratch(const spk_layer *layer);
int32_t spk_pairs_s8_units(const spk_layer *layer);

#endif  // SPK_KERNELS_X86_DEPTHWISE_PAIRS_S8_H_
