// Depthwise convolution for MVE, sixteen channels of a pixel at a time.
#ifndef SPK_DEPTHWISE_MVE_H_
#define SPK_DEPTHWISE_MVE_H_

#include "spk/armv81m.h"

enum {
  SPK_DEPTHWISE_LANES = 16,
  SPK_DEPTHWISE_ENDS = 3 * SPK_DEPTHWISE_LANES
};  // ints of a sixteen of channels

// As the assembly reads it.
typedef struct spk_depthwise_job {
  const int8_t *weights;
  const int32_t
      *ends;  // of each sixteen: 16 biases, 4 multipliers, 4 shifts, 4 multipliers ...
  int8_t *output;
  int32_t pairs, sixteens;  // of taps, of channels
  int32_t last;             // where the last sixteen begins
  int32_t output_offset, act_min, act_max;
  int32_t channels;
} spk_depthwise_job;

#if SPK_MVE
// All channels of a pixel, whose taps begin at `taps`; the second is for fewer than sixteen.
typedef void spk_depthwise_pixel(const int8_t *const *taps, const spk_depthwise_job *job);
spk_depthwise_pixel spk_depthwise_pixel__mve, spk_depthwise_narrow_pixel__mve;
#endif

#endif  // SPK_DEPTHWISE_MVE_H_
