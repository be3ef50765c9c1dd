// What the dense int8 DEPTHWISE_CONV_2D kernels share: geometry and packed weights.
//
// Taps of a row are multiplied by fours. A quad holds four neighbouring columns of a channel;
// quad p starts at column 2 p of the padded row, and serves the outputs 2 p and 2 p + 1 with
// stride 1, or output p with stride 2. A window has `quads` of them in each row, every second
// one: p, p + 2, ... With stride 1 the weights come twice, for even outputs and, one column
// later, for odd ones.
//
// Packed weights: the ends below, for groups * lanes lanes, then, aligned to 64 bytes,
// int8 weights[groups][kernel_h][quads][variants][lanes][4].
#ifndef SPK_KERNELS_X86_DEPTHWISE_S8_H_
#define SPK_KERNELS_X86_DEPTHWISE_S8_H_

#include "spk/layer.h"

typedef struct spk_depthwise_shape {
  int32_t lanes;      // channels of a vector: 8 or 16
  int32_t groups;     // of `lanes` channels
  int32_t chunks;     // of four groups, which are computed together
  int32_t quads;      // of a window, in each of its rows
  int32_t variants;   // 2 with stride 1, else 1
  int32_t positions;  // quads of a padded row
  int32_t ring;       // input rows that are kept as quads
  int32_t bands;      // parts of the output rows, each a unit of its own
  size_t weights;     // where the packed weights start, after the ends
} spk_depthwise_shape;

// What turns sums to outputs, one element for each lane of the kernel's vectors: the sum over
// the taps, the bias, the factors of spk_requant, and those of requantize_f32.h.
typedef struct spk_depthwise_ends {
  int32_t *sum, *bias, *multiplier, *shift;
  float *scale, *offset, *below;
} spk_depthwise_ends;

enum { kSpkDepthwiseEndBytes = 7 * sizeof(int32_t) };

// They stand in front of the packed weights, for `lanes` lanes.
spk_depthwise_ends spk_depthwise_ends_of(const void *packed, size_t lanes);

// All lanes as one without a channel.
void spk_depthwise_clear_ends(const spk_depthwise_ends *ends, size_t lanes);

// Lane `at` is that of `channel`.
void spk_depthwise_fill_end(const spk_layer *layer, const int8_t *weights, int32_t channel,
                            const spk_depthwise_ends *ends, size_t at);

// Two lanes of one channel.
void spk_depthwise_copy_end(const spk_depthwise_ends *ends, size_t from, size_t to);

spk_depthwise_shape spk_depthwise_shape_of(const spk_layer *layer, int32_t lanes);

#define SPK_DEPTHWISE_FUNCTIONS(isa)                                                   \
  size_t spk_depthwise_##isa##_pack_size(const spk_layer *layer, const void *weights); \
  spk_status spk_depthwise_##isa##_pack(const spk_layer *layer, const void *weights,   \
                                        void *packed, size_t bytes);                   \
  size_t spk_depthwise_##isa##_scratch(const spk_layer *layer);                        \
  int32_t spk_depthwise_##isa##_units(const spk_layer *layer);
SPK_DEPTHWISE_FUNCTIONS(avx2)
SPK_DEPTHWISE_FUNCTIONS(avxvnni)
SPK_DEPTHWISE_FUNCTIONS(avx512)
#undef SPK_DEPTHWISE_FUNCTIONS

#endif  // SPK_KERNELS_X86_DEPTHWISE_S8_H_
