// The sums of one FULLY_CONNECTED input to int8: spk_requantize_once_s8 in a loop that keeps
// what it needs in registers. An activation that clamps no more than int8 does, as RELU with
// its zero point at -128, saturates in one instruction where the machine has one.
#include "spk/requantize_rows_s8.h"

SPK_INLINE void scaled(const int32_t *restrict sum, int32_t first, int32_t rows,
                       const spk_requant *q, int8_t *restrict output, int per_tensor,
                       int saturates) {
  const int32_t channel = per_tensor ? 0 : first;
  const int32_t *restrict multiplier = q->multiplier + channel, *shift = q->shift + channel;
  const uint32_t *restrict low = q->multiplier_low + channel;
  const int32_t offset = q->output_offset, act_min = q->act_min, act_max = q->act_max;
  output += first;
  for (; rows > 0; --rows) {
    const int32_t x = spk_scale_once_s8(*sum++, *multiplier, *low, *shift) + offset;
    *output++ = (int8_t)(saturates ? spk_saturate_s8(x) : spk_clamp(x, act_min, act_max));
    if (!per_tensor) ++multiplier, ++low, ++shift;
  }
}

void spk_requantize_rows_once_s8(const int32_t *sum, int32_t first, int32_t rows,
                                 const spk_requant *q, int8_t *output) {
  const int saturates = q->act_min == -128 && q->act_max == 127;
  if (q->multiplier_low == NULL) {
    for (int32_t r = 0; r < rows; ++r) {
      output[first + r] = spk_requantize_once_s8(sum[r], q, first + r);
    }
  } else if (q->per_tensor) {
    scaled(sum, first, rows, q, output, 1, saturates);
  } else if (saturates) {
    scaled(sum, first, rows, q, output, 0, 1);
  } else {
    scaled(sum, first, rows, q, output, 0, 0);
  }
}
