// Dense int8 CONV_2D: PIXELS pixels by eight channels, for one way to multiply: what the sparse
// kernels are compared with. The including file defines TARGET, PIXELS, SUM, WIDTH (of the
// packed weights) and NAME(x), and
//   NAME(begin)(first, sum)                           2 * PIXELS sums
//   NAME(add_tap)(pixels, weights, channels, sum)     returns the weights of the next tap
//   NAME(end)(sum, total)                             total[2 p], total[2 p + 1]: of pixel p
#include <arm_neon.h>
#include <string.h>

#include "kernels/aarch64/dense_conv_s8_neon.h"
#include "kernels/aarch64/requantize_neon.h"

// What eight channels start with, and how they are requantised; those that do not exist have
// zeros.
typedef struct NAME(channels) {
  int32x4_t first[2];
  spk_factors_neon factors[2];
  int is_right;
} NAME(channels);

TARGET static NAME(channels) NAME(channels_of)(const spk_args *args, int32_t begin) {
  const spk_layer *layer = args->layer;
  const spk_requant *q = &layer->requant;
  const int32_t rest = layer->window.out_c - begin;
  const int32_t *weight_sum = (const int32_t *)args->packed + begin;
  const int32_t *bias = layer->bias ? (const int32_t *)layer->bias + begin : NULL;
  const int32_t *multiplier = q->multiplier + begin, *shift = q->shift + begin;
  int32_t few[3][kSpkDenseRows] = {{0}};
  if (rest < kSpkDenseRows) {
    const size_t bytes = (size_t)rest * sizeof(int32_t);
    if (bias) bias = memcpy(few[0], bias, bytes);
    multiplier = memcpy(few[1], multiplier, bytes);
    shift = memcpy(few[2], shift, bytes);
  }
  if (!bias) bias = few[0];
  NAME(channels) c;
  int32x4_t shifts[2];
#pragma GCC unroll 2
  for (int i = 0; i < 2; ++i) {
    c.first[i] =
        vmlaq_n_s32(vld1q_s32(bias + 4 * i), vld1q_s32(weight_sum + 4 * i), q->input_offset);
    shifts[i] = vld1q_s32(shift + 4 * i);
    c.factors[i] = spk_factors_of_neon(vld1q_s32(multiplier + 4 * i), shifts[i]);
  }
  c.is_right = vmaxvq_s32(vmaxq_s32(shifts[0], shifts[1])) <= 0;
  return c;
}

// The outputs of two pixels.
TARGET static inline int8x16_t NAME(finish)(const int32x4_t *total, const NAME(channels) * c,
                                            const int is_relu, const spk_output_neon *output) {
  int32x4_t scaled[4];
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    const spk_factors_neon *factors = &c->factors[i % 2];
    if (is_relu)
      scaled[i] = spk_requantize_relu_neon(total[i], factors);
    else
      scaled[i] = spk_requantize_neon(total[i], factors);
  }
  return spk_narrow_neon(scaled, output);
}

TARGET static inline void NAME(store)(int8x8_t results, int32_t channels, int8_t *to) {
  if (channels >= kSpkDenseRows) {
    vst1_s8(to, results);
    return;
  }
  int8_t few[kSpkDenseRows];
  vst1_s8(few, results);
  memcpy(to, few, (size_t)channels);
}

// Channels [begin, begin + 8) of `count` outputs, at most PIXELS.
TARGET static void NAME(compute)(const spk_args *args, const void **pixels, int32_t count,
                                 const int8_t *weights, const NAME(channels) * channels,
                                 int32_t left, int8_t *to) {
  const spk_window2d *w = &args->layer->window;
  SUM sum[2 * PIXELS];
  NAME(begin)(channels->first, sum);
  for (int32_t tap = w->kernel_h * w->kernel_w; tap > 0; --tap, pixels += kSpkDensePixels)
    weights = NAME(add_tap)((const int8_t *const *)pixels, weights, w->in_c, sum);
  int32x4_t total[2 * PIXELS];
  NAME(end)(sum, total);
  const spk_requant *q = &args->layer->requant;
  const spk_output_neon output = spk_output_of_neon(q);
  const int is_relu = channels->is_right && spk_is_relu(q);
#pragma GCC unroll 8
  for (int p = 0; p < PIXELS; p += 2) {
    const int8x16_t both = is_relu ? NAME(finish)(total + 2 * p, channels, 1, &output)
                                   : NAME(finish)(total + 2 * p, channels, 0, &output);
    if (p < count) NAME(store)(vget_low_s8(both), left, to + p * w->out_c);
    if (p + 1 < count) NAME(store)(vget_high_s8(both), left, to + (p + 1) * w->out_c);
  }
}

TARGET static void NAME(run)(const spk_args *args) {
  const spk_layer *layer = args->layer;
  const int32_t channels = layer->window.out_c;
  const size_t row = spk_dense8_s8_row(layer, WIDTH);
  const int8_t *weights = (const int8_t *)((const int32_t *)args->packed +
                                           (size_t)spk_dense8_units(layer) * kSpkDenseRows);
  const int padding = -layer->requant.input_offset & 0xff;
  for (int32_t unit = args->begin; unit < args->end; ++unit) {
    const void **pixels = spk_dense_conv_pixels(args, 1, padding, unit);
    const int32_t count = spk_dense_conv_count(layer, unit);
    int8_t *output = (int8_t *)args->output + (size_t)unit * kSpkDensePixels * channels;
    for (int32_t o = 0; o < channels; o += kSpkDenseRows) {
      const NAME(channels) c = NAME(channels_of)(args, o);
      for (int32_t p = 0; p < count; p += PIXELS)
        NAME(compute)(args, pixels + p, count - p, weights + (size_t)o * row, &c, channels - o,
                      output + p * channels + o);
    }
  }
}
