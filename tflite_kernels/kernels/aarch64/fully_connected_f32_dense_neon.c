// Dense float32 FULLY_CONNECTED: eight rows at a time.
#include <arm_neon.h>
#include <string.h>

#include "kernels/aarch64/dense_f32_neon.h"
#include "kernels/aarch64/kernels_aarch64.h"

// Even and odd columns have sums of their own, so that additions wait for each other less.
#define ADD_COLUMN(lane)                                                        \
  do {                                                                          \
    float32x4_t *to = sum + lane % 2 * 2;                                       \
    to[0] = vfmaq_laneq_f32(to[0], vld1q_f32(weights + 8 * lane), x, lane);     \
    to[1] = vfmaq_laneq_f32(to[1], vld1q_f32(weights + 8 * lane + 4), x, lane); \
  } while (0)

static void compute(const spk_layer *layer, const float *weights, const float *input,
                    int32_t first, float *output) {
  const int32_t cols = layer->window.in_c, rows = layer->window.out_c - first;
  float32x4_t sum[4];
  for (int i = 0; i < 4; ++i) sum[i] = vdupq_n_f32(0);
  int32_t c = 0;
#pragma GCC unroll 4
  for (; c + 4 <= cols; c += 4, weights += 32) {
    const float32x4_t x = vld1q_f32(input + c);
    ADD_COLUMN(0);
    ADD_COLUMN(1);
    ADD_COLUMN(2);
    ADD_COLUMN(3);
  }
  for (; c < cols; ++c, weights += 8) {
    const float32x4_t x = vdupq_n_f32(input[c]);
    ADD_COLUMN(0);
  }
  float few[kSpkDenseRows] = {0};
  const size_t bytes = (size_t)(rows < kSpkDenseRows ? rows : kSpkDenseRows) * sizeof(float);
  if (layer->bias) memcpy(few, (const float *)layer->bias + first, bytes);
  const float32x4_t least = vdupq_n_f32(layer->act_min), most = vdupq_n_f32(layer->act_max);
  for (int i = 0; i < 2; ++i) {
    const float32x4_t total = vaddq_f32(vaddq_f32(sum[i], sum[i + 2]), vld1q_f32(few + 4 * i));
    vst1q_f32(few + 4 * i, vminq_f32(most, vmaxq_f32(least, total)));  // NaN stays NaN
  }
  memcpy(output + first, few, bytes);
}

void spk_fully_connected_f32_dense__neon(const spk_args *args) {
  const spk_window2d *w = &args->layer->window;
  for (int32_t b = 0; b < w->batch; ++b) {
    for (int32_t unit = args->begin; unit < args->end; ++unit) {
      const int32_t first = unit * kSpkDenseRows;
      compute(args->layer, (const float *)args->packed + (size_t)first * w->in_c,
              (const float *)args->input + (size_t)b * w->in_c, first,
              (float *)args->output + (size_t)b * w->out_c);
    }
  }
}
