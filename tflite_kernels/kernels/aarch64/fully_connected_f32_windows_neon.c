// Sparse float32 FULLY_CONNECTED by look-up: sixteen rows, windows of 16 inputs, a table of 64
// bytes. The index of an input becomes the four indices of its bytes. One unit of work is one
// group of sixteen rows. Windows of 32 in two tables need fewer steps, but twice the look-ups,
// which pays only where two of 32 weights or fewer are left.
#include <arm_neon.h>
#include <string.h>

#include "kernels/aarch64/kernels_aarch64.h"
#include "kernels/aarch64/windows_aarch64.h"

enum { kRows = 16 };

// Byte 4 j + k of vector i comes from byte 4 i + j of the indices, and adds k.
static const uint8_t kSpread[4][16] = {
    {0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3},
    {4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 6, 7, 7, 7, 7},
    {8, 8, 8, 8, 9, 9, 9, 9, 10, 10, 10, 10, 11, 11, 11, 11},
    {12, 12, 12, 12, 13, 13, 13, 13, 14, 14, 14, 14, 15, 15, 15, 15},
};
static const uint8_t kPlace[16] = {0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3};

static inline uint8x16x4_t load_table(const float *x) {
  const uint8_t *bytes = (const uint8_t *)x;
  return (uint8x16x4_t){
      {vld1q_u8(bytes), vld1q_u8(bytes + 16), vld1q_u8(bytes + 32), vld1q_u8(bytes + 48)}};
}

static inline void group_sum(const spk_windows_view *view, int32_t group, const float *input,
                             float32x4_t *sum) {
  const uint32_t first = view->first_step[group], end = view->first_step[group + 1];
  const uint8_t *index = view->index + (size_t)first * kRows;
  const float *weights = (const float *)(const void *)view->weights + (size_t)first * kRows;
  const uint8x16_t place = vld1q_u8(kPlace);
  for (int i = 0; i < 4; ++i) sum[i] = vdupq_n_f32(0);
  for (uint32_t step = first; step < end; ++step, index += kRows, weights += kRows) {
    const float *x = input + view->start[step];
    const uint8x16x4_t table = load_table(x);
    const uint8x16_t bytes = vshlq_n_u8(vld1q_u8(index), 2);
#pragma GCC unroll 4
    for (int i = 0; i < 4; ++i) {
      const uint8x16_t at = vaddq_u8(vqtbl1q_u8(bytes, vld1q_u8(kSpread[i])), place);
      const uint8x16_t found = vqtbl4q_u8(table, at);
      sum[i] = vfmaq_f32(sum[i], vreinterpretq_f32_u8(found), vld1q_f32(weights + 4 * i));
    }
  }
}

// Adds the bias and clamps: the sums of a group -> the rows of it that exist.
static inline void finish(const spk_layer *layer, int32_t group, const float32x4_t *sum,
                          float *output) {
  const float32x4_t low = vdupq_n_f32(layer->act_min), high = vdupq_n_f32(layer->act_max);
  const int32_t first = group * kRows, rest = layer->window.out_c - first;
  const float *bias = layer->bias ? (const float *)layer->bias + first : NULL;
  float few[kRows] = {0}, results[kRows];
  if (!bias || rest < kRows) {
    if (bias) memcpy(few, bias, (size_t)rest * sizeof(float));
    bias = few;
  }
  float *to = rest < kRows ? results : output + first;
  for (int i = 0; i < 4; ++i) {
    const float32x4_t total = vaddq_f32(sum[i], vld1q_f32(bias + 4 * i));
    vst1q_f32(to + 4 * i, vminq_f32(high, vmaxq_f32(low, total)));  // NaN stays NaN
  }
  if (rest < kRows) memcpy(output + first, results, (size_t)rest * sizeof(float));
}

void spk_fully_connected_f32_windows__neon(const spk_args *args) {
  const spk_layer *layer = args->layer;
  const spk_windows_view view = spk_windows_view_of(args->packed);
  for (int32_t b = 0; b < layer->window.batch; ++b) {
    const float *input = spk_windows_neon_input(args, &kSpkWindowsF32Neon, b);
    float *output = (float *)args->output + (size_t)b * layer->window.out_c;
    for (int32_t group = args->begin; group < args->end; ++group) {
      float32x4_t sum[4];
      group_sum(&view, group, input, sum);
      finish(layer, group, sum, output);
    }
  }
}
