// Kernels of TFLite's 16x8 quantisation, bit for bit: int16 activations with zero point 0, int8
// weights, int64 sums. What spk/kernels_s8.h says of shapes and scratch holds here too.
#ifndef SPK_KERNELS_S16_H_
#define SPK_KERNELS_S16_H_

#include "spk/types.h"

#ifdef __cplusplus
extern "C" {
#endif

// out = clamp(round((acc + bias[c]) * multiplier[c] / 2^right[c])). Convolutions keep 15 bits
// of the scale factor and round halves up; with biases of 32 bits they keep 31 and round twice,
// as int8 does. FULLY_CONNECTED keeps 63, of which `low` holds the last 32, and rounds halves
// away from zero.
typedef struct spk_requant_s16 {
  const int64_t *bias;        // (channels,) or NULL
  const int32_t *multiplier;  // (channels,)
  const int32_t *right;       // (channels,), in [1, 62]
  const uint32_t *low;        // (channels,), or NULL for convolutions; then |acc| is below 2^31
  int32_t rounds_twice;       // then |acc| is below 2^31, right at least 31
  int32_t act_min, act_max;
} spk_requant_s16;

// sums[r] = weights[r] . x for a matrix (rows, cols): dense int8, or its stream.
typedef void (*spk_sum_rows_s16)(const void *weights, int32_t rows, int32_t cols,
                                 const int16_t *x, int64_t *sums);
void spk_sum_rows_s16_dense__c(const void *weights, int32_t rows, int32_t cols,
                               const int16_t *x, int64_t *sums);
void spk_sum_rows_s16_stream__c(const void *weights, int32_t rows, int32_t cols,
                                const int16_t *x, int64_t *sums);

// ---- CONV_2D, and FULLY_CONNECTED as a 1x1 convolution over a row of `batch` pixels.
void spk_conv2d_s16_dense__ref(const spk_window2d *w, const spk_requant_s16 *q,
                               const int16_t *input, const int8_t *weights, int16_t *output);
void spk_conv2d_s16__c(const spk_window2d *w, const spk_requant_s16 *q,
                       spk_sum_rows_s16 sum_rows, const void *weights, const int16_t *input,
                       int16_t *output, void *scratch);
size_t spk_conv2d_s16__c_scratch(const spk_window2d *w);

// ---- DEPTHWISE_CONV_2D.
void spk_depthwise_conv2d_s16_dense__ref(const spk_window2d *w, const spk_requant_s16 *q,
                                         const int16_t *input, const int8_t *weights,
                                         int16_t *output);

// ---- Pooling: as in int8.
void spk_max_pool2d_s16__ref(const spk_window2d *w, int32_t act_min, int32_t act_max,
                             const int16_t *input, int16_t *output);
void spk_average_pool2d_s16__ref(const spk_window2d *w, int32_t act_min, int32_t act_max,
                                 const int16_t *input, int16_t *output);

// ---- QUANTIZE and DEQUANTIZE at the ends of a model.
void spk_quantize_f32_s16__ref(int32_t size, float scale, const float *input, int16_t *output);
void spk_dequantize_s16_f32__ref(int32_t size, float scale, const int16_t *input,
                                 float *output);

#ifdef __cplusplus
}
#endif
#endif  // SPK_KERNELS_S16_H_
