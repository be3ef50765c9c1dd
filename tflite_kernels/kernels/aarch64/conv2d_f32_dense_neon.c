// Dense float32 CONV_2D: eight pixels of a row by eight channels.
#include <arm_neon.h>
#include <string.h>

#include "kernels/aarch64/dense_f32_neon.h"
#include "kernels/aarch64/kernels_aarch64.h"

// sum[2 p], sum[2 p + 1] += x[p][lane] * weights[8]
#define ADD_INPUT(lane)                                                   \
  do {                                                                    \
    const float32x4_t low = vld1q_f32(weights + 8 * lane);                \
    const float32x4_t high = vld1q_f32(weights + 8 * lane + 4);           \
    _Pragma("GCC unroll 8") for (int p = 0; p < kSpkDensePixels; ++p) {   \
      sum[2 * p] = vfmaq_laneq_f32(sum[2 * p], low, x[p], lane);          \
      sum[2 * p + 1] = vfmaq_laneq_f32(sum[2 * p + 1], high, x[p], lane); \
    }                                                                     \
  } while (0)

static inline const float *add_tap(const float *const *pixels, const float *weights,
                                   int32_t channels, float32x4_t *sum) {
  int32_t c = 0;
  for (; c + 4 <= channels; c += 4, weights += 32) {
    float32x4_t x[kSpkDensePixels];
#pragma GCC unroll 8
    for (int p = 0; p < kSpkDensePixels; ++p) x[p] = vld1q_f32(pixels[p] + c);
    ADD_INPUT(0);
    ADD_INPUT(1);
    ADD_INPUT(2);
    ADD_INPUT(3);
  }
  for (; c < channels; ++c, weights += 8) {
    float32x4_t x[kSpkDensePixels];
#pragma GCC unroll 8
    for (int p = 0; p < kSpkDensePixels; ++p) x[p] = vdupq_n_f32(pixels[p][c]);
    ADD_INPUT(0);
  }
  return weights;
}

// Eight channels of one pixel, as far as they exist.
static inline void store(float32x4_t low, float32x4_t high, int32_t channels, float *to) {
  if (channels >= kSpkDenseRows) {
    vst1q_f32(to, low);
    vst1q_f32(to + 4, high);
    return;
  }
  float few[kSpkDenseRows];
  vst1q_f32(few, low);
  vst1q_f32(few + 4, high);
  memcpy(to, few, (size_t)channels * sizeof(float));
}

// Channels [first, first + 8) of the outputs of a unit.
static void compute(const spk_args *args, int32_t unit, const void **pixels, int32_t first) {
  const spk_layer *layer = args->layer;
  const spk_window2d *w = &layer->window;
  const int32_t channels = w->out_c - first, taps = w->kernel_h * w->kernel_w;
  const float32x4_t least = vdupq_n_f32(layer->act_min), most = vdupq_n_f32(layer->act_max);
  const float *weights = (const float *)args->packed + (size_t)first * spk_layer_cols(layer);
  float bias[kSpkDenseRows] = {0};
  if (layer->bias)
    memcpy(bias, (const float *)layer->bias + first,
           (size_t)(channels < kSpkDenseRows ? channels : kSpkDenseRows) * sizeof(float));
  float32x4_t sum[2 * kSpkDensePixels];
#pragma GCC unroll 16
  for (int i = 0; i < 2 * kSpkDensePixels; ++i) sum[i] = vld1q_f32(bias + i % 2 * 4);
  for (int32_t tap = 0; tap < taps; ++tap, pixels += kSpkDensePixels)
    weights = add_tap((const float *const *)pixels, weights, w->in_c, sum);
  float *to = (float *)args->output + (size_t)unit * kSpkDensePixels * w->out_c + first;
  const int32_t count = spk_dense_conv_count(layer, unit);
#pragma GCC unroll 8
  for (int p = 0; p < kSpkDensePixels; ++p, to += w->out_c)
    if (p < count)
      store(vminq_f32(most, vmaxq_f32(least, sum[2 * p])),  // NaN stays NaN
            vminq_f32(most, vmaxq_f32(least, sum[2 * p + 1])), channels, to);
}

void spk_conv2d_f32_dense__neon(const spk_args *args) {
  for (int32_t unit = args->begin; unit < args->end; ++unit) {
    const void **pixels = spk_dense_conv_pixels(args, sizeof(float), 0, unit);
    for (int32_t first = 0; first < args->layer->window.out_c; first += kSpkDenseRows)
      compute(args, unit, pixels, first);
  }
}
