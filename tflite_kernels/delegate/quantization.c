#include "delegate/quantization.h"

#include <float.h>
#include <math.h>

// What a shift of 30 holds.
static const double kMaxScale = 1 << 29;

static bool is_positive(float scale) { return scale > 0.0f && scale <= FLT_MAX; }

static bool is_int8(int32_t value) { return value >= -128 && value <= 127; }

static bool is_activation_quantized(const TfLiteTensor *tensor) {
  return is_positive(tensor->params.scale) && is_int8(tensor->params.zero_point);
}

const char *spk_check_quantization(const TfLiteTensor *input, const TfLiteTensor *filter,
                                   const TfLiteTensor *output, int dimension) {
  if (!is_activation_quantized(input) || !is_activation_quantized(output))
    return "its input or output is not quantized with one scale";
  const TfLiteAffineQuantization *q = filter->quantization.params;
  if (filter->quantization.type != kTfLiteAffineQuantization || !q || !q->scale)
    return "its weights have no scales";
  // One build of TensorFlow laid TfLiteFloatArray out in another way; a size that makes no
  // sense is how that shows.
  const bool per_channel = q->scale->size != 1;
  if (per_channel &&
      (q->quantized_dimension != dimension || q->scale->size != filter->dims->data[dimension]))
    return "its weights are not quantized per tensor or per output channel";
  for (int i = 0; i < q->scale->size; ++i)
    if (!is_positive(q->scale->data[i])) return "a scale of its weights is not positive";
  for (int i = 0; i < q->scale->size; ++i)
    if ((double)input->params.scale * q->scale->data[i] / output->params.scale > kMaxScale)
      return "its output scale is too small";
  for (int i = 0; q->zero_point && i < q->zero_point->size; ++i)
    if (q->zero_point->data[i] != 0) return "its weights have a zero point";
  return NULL;
}

// scale = multiplier * 2^(shift - 31), multiplier in [2^30, 2^31).
static void quantize_multiplier(double scale, int32_t *multiplier, int32_t *shift) {
  int exponent;
  int64_t fixed = llround(frexp(scale, &exponent) * 2147483648.0);
  if (fixed == INT64_C(1) << 31) {
    fixed /= 2;
    ++exponent;
  }
  const bool vanishes = exponent < -31;
  *multiplier = vanishes ? 0 : (int32_t)fixed;
  *shift = vanishes ? 0 : exponent;
}

// All 63 bits: scale = (multiplier + low / 2^32) * 2^(shift - 31). FULLY_CONNECTED multiplies
// in float64 and rounds once, so that the last bits of the scale count.
static void exact_multiplier(double scale, int32_t *multiplier, int32_t *shift, uint32_t *low) {
  quantize_multiplier(scale, multiplier, shift);
  *low = 0;
  if (*multiplier == 0) return;
  const uint64_t bits = (uint64_t)ldexp(frexp(scale, shift), 63);
  *multiplier = (int32_t)(bits >> 32);
  *low = (uint32_t)bits;
}

static double effective_scale(const TfLiteTensor *input, const TfLiteTensor *filter,
                              const TfLiteTensor *output, int32_t channel) {
  const TfLiteAffineQuantization *q = filter->quantization.params;
  const float filter_scale = q->scale->data[q->scale->size == 1 ? 0 : channel];
  return (double)input->params.scale * (double)filter_scale / (double)output->params.scale;
}

// `value` in units of the output, or the bound where it would leave int8 anyway.
static int32_t quantized(float value, const TfLiteTensor *output) {
  const float units = roundf(value / output->params.scale);
  if (units > 512.0f) return 127;
  if (units < -512.0f) return -128;
  const int32_t shifted = output->params.zero_point + (int32_t)units;
  return shifted < -128 ? -128 : shifted > 127 ? 127 : shifted;
}

void spk_fill_requant(spk_op op, int activation, const TfLiteTensor *input,
                      const TfLiteTensor *filter, const TfLiteTensor *output, int32_t channels,
                      int32_t *factors, spk_requant *requant) {
  int32_t *multiplier = factors, *shift = factors + channels;
  uint32_t *low = (uint32_t *)(factors + 2 * (size_t)channels);
  for (int32_t c = 0; c < channels; ++c) {
    const double scale = effective_scale(input, filter, output, c);
    exact_multiplier(scale, &multiplier[c], &shift[c], &low[c]);
    if (op != SPK_FULLY_CONNECTED) quantize_multiplier(scale, &multiplier[c], &shift[c]);
  }
  float act_min, act_max;
  spk_float_range(activation, &act_min, &act_max);
  *requant = (spk_requant){
      .multiplier = multiplier,
      .shift = shift,
      .multiplier_low = op == SPK_FULLY_CONNECTED ? low : NULL,
      .input_offset = -input->params.zero_point,
      .output_offset = output->params.zero_point,
      .act_min = quantized(act_min, output),
      .act_max = quantized(act_max, output),
  };
}

const char *spk_fill_add(const TfLiteTensor *a, const TfLiteTensor *b,
                         const TfLiteTensor *output, int activation, spk_add *add) {
  enum { kLeftShift = 20 };
  if (!is_activation_quantized(a) || !is_activation_quantized(b) ||
      !is_activation_quantized(output))
    return "its inputs or output are not quantized with one scale";
  const float a_scale = a->params.scale, b_scale = b->params.scale;
  const double twice = 2 * fmaxf(a_scale, b_scale);
  const double last = twice / ((1 << kLeftShift) * (double)output->params.scale);
  float act_min, act_max;
  if (!spk_float_range(activation, &act_min, &act_max))
    return "its fused activation is not supported";
  if (!(last < 1)) return "its output scale is too small";
  *add = (spk_add){
      .a_offset = -a->params.zero_point,
      .b_offset = -b->params.zero_point,
      .output_offset = output->params.zero_point,
      .left_shift = kLeftShift,
      .act_min = quantized(act_min, output),
      .act_max = quantized(act_max, output),
  };
  quantize_multiplier(a_scale / twice, &add->a_multiplier, &add->a_shift);
  quantize_multiplier(b_scale / twice, &add->b_multiplier, &add->b_shift);
  quantize_multiplier(last, &add->output_multiplier, &add->output_shift);
  return NULL;
}

bool spk_float_range(int activation, float *act_min, float *act_max) {
  *act_min = -INFINITY;
  *act_max = INFINITY;
  switch (activation) {
    case kTfLiteActNone:
      return true;
    case kTfLiteActRelu:
      *act_min = 0.0f;
      return true;
    case kTfLiteActReluN1To1:
      *act_min = -1.0f;
      *act_max = 1.0f;
      return true;
    case kTfLiteActRelu6:
      *act_min = 0.0f;
      *act_max = 6.0f;
      return true;
    default:
      return false;
  }
}
