// What the int8 FULLY_CONNECTED kernels share: sixteen rows at a time, from their sums to the
// outputs.
#ifndef SPK_KERNELS_AARCH64_FULLY_CONNECTED_S8_NEON_H_
#define SPK_KERNELS_AARCH64_FULLY_CONNECTED_S8_NEON_H_

#include <string.h>

#include "kernels/aarch64/requantize_neon.h"
#include "spk/layer.h"

enum { kSpkRows = 16 };

// What sixteen rows are requantised with, from arrays of that length.
typedef struct spk_row_constants {
  const int32_t *multiplier, *shift, *bias;
  const uint32_t *low;
  int32_t copy[4][kSpkRows];  // of a group with fewer rows, and of arrays that do not exist
} spk_row_constants;

static inline spk_row_constants spk_row_constants_of(const spk_layer *layer, int32_t first) {
  const spk_requant *q = &layer->requant;
  const int32_t rest = layer->window.out_c - first;
  const int32_t *bias = layer->bias ? (const int32_t *)layer->bias + first : NULL;
  const uint32_t *low = q->multiplier_low ? q->multiplier_low + first : NULL;
  return (spk_row_constants){q->multiplier + first, q->shift + first, bias, low, {{rest}}};
}

static inline void spk_complete_constants(spk_row_constants *c) {
  const int32_t rest = c->copy[0][0];
  const size_t bytes = sizeof(int32_t) * (size_t)(rest < kSpkRows ? rest : kSpkRows);
  memset(c->copy, 0, sizeof(c->copy));
  if (rest < kSpkRows) {
    c->multiplier = memcpy(c->copy[0], c->multiplier, bytes);
    c->shift = memcpy(c->copy[1], c->shift, bytes);
  }
  if (!c->bias)
    c->bias = c->copy[2];
  else if (rest < kSpkRows)
    c->bias = memcpy(c->copy[2], c->bias, bytes);
  if (!c->low)
    c->low = (const uint32_t *)c->copy[3];
  else if (rest < kSpkRows)
    c->low = memcpy(c->copy[3], c->low, bytes);
}

// weight_sum: of each row, for the zero point of the inputs.
static inline void spk_finish_rows_neon(const spk_layer *layer, int32_t first,
                                        const int32_t *weight_sum, const int32x4_t *sum,
                                        int8_t *output) {
  const spk_requant *q = &layer->requant;
  const int32_t rows = layer->window.out_c - first;
  spk_row_constants c = spk_row_constants_of(layer, first);
  if (rows < kSpkRows || !c.bias || !c.low) spk_complete_constants(&c);
  const spk_output_neon out = spk_output_of_neon(q);
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
  const int32x4_t most =
      vmaxq_s32(vmaxq_s32(f[0].right, f[1].right), vmaxq_s32(f[2].right, f[3].right));
  if (vmaxvq_s32(most) < -32) {
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i)
      scaled[i] = spk_with_sign_neon(
          spk_scale_once_short_neon(vreinterpretq_u32_s32(vabsq_s32(total[i])), &f[i]),
          total[i]);
  } else {
    for (int i = 0; i < 4; ++i)
      scaled[i] = spk_with_sign_neon(
          spk_scale_once_neon(vreinterpretq_u32_s32(vabsq_s32(total[i])), &f[i]), total[i]);
  }
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
