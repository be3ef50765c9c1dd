// What the int8 FULLY_CONNECTED kernels share: sixteen rows at a time, from their sums to the
// outputs.
#ifndef SPK_KERNELS_AARCH64_FULLY_CONNECTED_S8_NEON_H_
#define SPK_KERNELS_AARCH64_FULLY_CONNECTED_S8_NEON_H_

#include <string.h>

#include "kernels/aarch64/requantize_neon.h"
#include "spk/layer.h"

enum { kSpkRows = 16 };

// What sixteen rows are requantised with, arrays of that length.
typedef struct spk_row_constants {
  const int32_t *multiplier, *shift, *bias;
  const uint32_t *low;
} spk_row_constants;

// The first `rows` numbers in a copy, and zeros.
static inline const int32_t *spk_fill_up(const int32_t *numbers, int32_t rows, int32_t *copy) {
  memset(copy, 0, kSpkRows * sizeof(int32_t));
  if (numbers) memcpy(copy, numbers, sizeof(int32_t) * (size_t)rows);
  return copy;
}

// For a group with fewer rows, and for arrays that do not exist, in copies.
static __attribute__((noinline)) spk_row_constants
spk_complete_constants(spk_row_constants c, int32_t rest, int32_t copies[4][kSpkRows]) {
  const int32_t rows = rest < kSpkRows ? rest : kSpkRows;
  c.multiplier = spk_fill_up(c.multiplier, rows, copies[0]);
  c.shift = spk_fill_up(c.shift, rows, copies[1]);
  c.bias = spk_fill_up(c.bias, rows, copies[2]);
  c.low = (const uint32_t *)spk_fill_up((const int32_t *)c.low, rows, copies[3]);
  return c;
}

// Of the rows from `first` on.
static inline spk_row_constants spk_row_constants_of(const spk_layer *layer, int32_t first,
                                                     int32_t copies[4][kSpkRows]) {
  const spk_requant *q = &layer->requant;
  const int32_t rest = layer->window.out_c - first;
  const int32_t *bias = layer->bias;
  spk_row_constants c = {q->multiplier + first, q->shift + first, NULL, NULL};
  if (rest >= kSpkRows && bias && q->multiplier_low) {
    c.bias = bias + first;
    c.low = q->multiplier_low + first;
    return c;
  }
  if (bias) c.bias = bias + first;
  if (q->multiplier_low) c.low = q->multiplier_low + first;
  return spk_complete_constants(c, rest, copies);
}

// One row in each lane, rounded once. Where the activation cuts off all that is below the zero
// point (RELU), negative sums may as well be 0.
static inline void spk_scale_rows_neon(const int32x4_t *total, const spk_once_neon *f,
                                       int is_relu, int32x4_t *scaled) {
  const int32x4_t most =
      vmaxq_s32(vmaxq_s32(f[0].right, f[1].right), vmaxq_s32(f[2].right, f[3].right));
  const int is_short = vmaxvq_s32(most) < -32;
  if (is_short && is_relu) {
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      const uint32x4_t size = vreinterpretq_u32_s32(vmaxq_s32(total[i], vdupq_n_s32(0)));
      scaled[i] = vreinterpretq_s32_u32(spk_scale_once_short_neon(size, &f[i]));
    }
    return;
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    const uint32x4_t size = vreinterpretq_u32_s32(vabsq_s32(total[i]));
    const uint32x4_t scale =
        is_short ? spk_scale_once_short_neon(size, &f[i]) : spk_scale_once_neon(size, &f[i]);
    scaled[i] = spk_with_sign_neon(scale, total[i]);
  }
}

// weight_sum: of each row, for the zero point of the inputs.
static inline void spk_finish_rows_neon(const spk_layer *layer, int32_t first,
                                        const int32_t *weight_sum, const int32x4_t *sum,
                                        int8_t *output) {
  const spk_requant *q = &layer->requant;
  const int32_t rows = layer->window.out_c - first;
  int32_t copies[4][kSpkRows];
  const spk_row_constants c = spk_row_constants_of(layer, first, copies);
  spk_once_neon f[4];
  int32x4_t total[4], scaled[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    const int32x4_t start =
        vmlaq_n_s32(vld1q_s32(c.bias + 4 * i), vld1q_s32(weight_sum + 4 * i), q->input_offset);
    total[i] = vaddq_s32(sum[i], start);
    f[i].multiplier = vld1q_s32(c.multiplier + 4 * i);
    f[i].low = vreinterpretq_s32_u32(vld1q_u32(c.low + 4 * i));
    f[i].right = vsubq_s32(vld1q_s32(c.shift + 4 * i), vdupq_n_s32(31));
  }
  spk_scale_rows_neon(total, f, spk_is_relu(q), scaled);
  const spk_output_neon out = spk_output_of_neon(q);
  const int8x16_t results = spk_narrow_neon(scaled, &out);
  if (rows >= kSpkRows) {
    vst1q_s8(output + first, results);
    return;
  }
  int8_t few[kSpkRows];
  vst1q_s8(few, results);
  memcpy(output + first, few, (size_t)rows);
}

#endif  // SPK_KERNELS_AARCH64_FULLY_CONNECTED_S8_NEON_H_
