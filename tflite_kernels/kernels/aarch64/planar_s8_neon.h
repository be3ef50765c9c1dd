// What the int8 convolutions with output pixels in the lanes share: planes of single channels,
// or of four neighbouring channels a word (see kernels/planar.h, which is plain C).
#ifndef SPK_KERNELS_AARCH64_PLANAR_S8_NEON_H_
#define SPK_KERNELS_AARCH64_PLANAR_S8_NEON_H_

#include "kernels/aarch64/requantize_neon.h"
#include "kernels/planar.h"

// tuples_s8 of 2 or 4, columns replaced by offsets into planes of single channels.
size_t spk_planar_s8_neon_pairs_pack_size(const spk_layer *layer, const void *weights);
spk_status spk_planar_s8_neon_pairs_pack(const spk_layer *layer, const void *weights,
                                         void *packed, size_t bytes);
size_t spk_planar_s8_neon_quads_pack_size(const spk_layer *layer, const void *weights);
spk_status spk_planar_s8_neon_quads_pack(const spk_layer *layer, const void *weights,
                                         void *packed, size_t bytes);
size_t spk_planar_s8_neon_scratch(const spk_layer *layer);
int32_t spk_planar_s8_neon_units(const spk_layer *layer);
void spk_planar_s8_neon_run(const spk_args *args, const spk_planar_kernel *kernel);

// blocks4_s8 of one row, blocks replaced by offsets into planes of four channels.
size_t spk_planar_s8_neon_blocks1x4_pack_size(const spk_layer *layer, const void *weights);
spk_status spk_planar_s8_neon_blocks1x4_pack(const spk_layer *layer, const void *weights,
                                             void *packed, size_t bytes);
size_t spk_planar_s8_neon_blocks1x4_scratch(const spk_layer *layer);
int32_t spk_planar_s8_neon_blocks1x4_units(const spk_layer *layer);
void spk_planar_s8_neon_blocks1x4_run(const spk_args *args, const spk_planar_kernel *kernel);

// Where the sums of a channel start, and how they are requantised.
typedef struct spk_channel_neon {
  int32x4_t first;
  spk_factors_neon factors;
  int is_right, is_relu;  // what makes requantisation shorter
} spk_channel_neon;

static inline spk_channel_neon spk_channel_of_neon(const spk_layer *layer, int32_t channel,
                                                   int32_t weight_sum) {
  const spk_requant *q = &layer->requant;
  const int32_t *bias = layer->bias;
  const uint32_t correction = (uint32_t)weight_sum * (uint32_t)q->input_offset;
  const int is_right = q->shift[channel] <= 0;
  return (spk_channel_neon){
      .first = vdupq_n_s32((int32_t)((bias ? (uint32_t)bias[channel] : 0u) + correction)),
      .factors = spk_channel_factors_neon(q, channel),
      .is_right = is_right,
      .is_relu = is_right && spk_is_relu(q),
  };
}

// The sums of one channel, four pixels a vector, -> bytes of a tile.
static inline __attribute__((always_inline)) void spk_finish_channel_neon(
    const int32x4_t *sum, const int vectors, const spk_channel_neon *channel,
    const spk_output_neon *output, int8_t *to) {
#pragma GCC unroll 4
  for (int first = 0; first < vectors; first += 4) {
    int32x4_t scaled[4];
    if (channel->is_relu) {
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i)
        scaled[i] = spk_requantize_relu_neon(sum[first + i], &channel->factors);
    } else if (channel->is_right) {
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i)
        scaled[i] = spk_requantize_right_neon(sum[first + i], &channel->factors);
    } else {
#pragma GCC unroll 4
      for (int i = 0; i < 4; ++i)
        scaled[i] = spk_requantize_neon(sum[first + i], &channel->factors);
    }
    vst1q_s8(to + 4 * first, spk_narrow_neon(scaled, output));
  }
}

#endif  // SPK_KERNELS_AARCH64_PLANAR_S8_NEON_H_
