// float32 operators of C projects beside FULLY_CONNECTED and CONV_2D (spk/kernels_f32.h). They
// give TFLite's results to 1e-5.
//
// Shapes come from the caller and have been checked by it. Element by element, the output may
// be the memory of an input of the same size. No kernel allocates or keeps state.
#ifndef SPK_OPERATORS_F32_H_
#define SPK_OPERATORS_F32_H_

#include "spk/kernels_f32.h"
#include "spk/resize.h"
#include "spk/types.h"
#include "spk/winners.h"

#ifdef __cplusplus
extern "C" {
#endif

// ---- Windows; act_min and act_max clamp the results.
// Weights (1, kernel_h, kernel_w, out_c); output channel c reads input channel c / multiplier.
void spk_depthwise_conv2d_f32__c(const spk_window2d *w, float act_min, float act_max,
                                 const float *input, const float *weights, const float *bias,
                                 float *output);
void spk_max_pool2d_f32__c(const spk_window2d *w, float act_min, float act_max,
                           const float *input, float *output);
void spk_average_pool2d_f32__c(const spk_window2d *w, float act_min, float act_max,
                               const float *input, float *output);

// ---- Two inputs: output[i] = f(a[i], b[i % period]), where `size` is a multiple of `period`.
typedef struct spk_pair_f32 {
  int32_t size, period;
  float a_sign, b_sign;  // ADD and SUB: 1 or -1
  float act_min, act_max;
} spk_pair_f32;
void spk_add_f32__c(const spk_pair_f32 *p, const float *a, const float *b, float *output);
void spk_mul_f32__c(const spk_pair_f32 *p, const float *a, const float *b, float *output);
void spk_maximum_f32__c(const spk_pair_f32 *p, const float *a, const float *b, float *output);
void spk_minimum_f32__c(const spk_pair_f32 *p, const float *a, const float *b, float *output);
void spk_squared_difference_f32__c(const spk_pair_f32 *p, const float *a, const float *b,
                                   float *output);
// a / b, or b / a where a_sign is negative.
void spk_div_f32__c(const spk_pair_f32 *p, const float *a, const float *b, float *output);
void spk_prelu_f32__c(const spk_pair_f32 *p, const float *a, const float *alpha, float *output);

// ---- One input
void spk_clamp_f32__c(int32_t size, float low, float high, const float *input, float *output);
void spk_leaky_relu_f32__c(int32_t size, float alpha, const float *input, float *output);
void spk_abs_f32__c(int32_t size, const float *input, float *output);
void spk_hard_swish_f32__c(int32_t size, const float *input, float *output);
void spk_logistic_f32__c(int32_t size, const float *input, float *output);
void spk_tanh_f32__c(int32_t size, const float *input, float *output);
void spk_neg_f32__c(int32_t size, const float *input, float *output);
void spk_square_f32__c(int32_t size, const float *input, float *output);
void spk_exp_f32__c(int32_t size, const float *input, float *output);
void spk_sqrt_f32__c(int32_t size, const float *input, float *output);
void spk_rsqrt_f32__c(int32_t size, const float *input, float *output);
void spk_gelu_f32__c(int32_t size, int32_t approximate, const float *input, float *output);

// ---- SOFTMAX over the last axis of (rows, depth), of beta * input.
void spk_softmax_f32__c(int32_t rows, int32_t depth, float beta, const float *input,
                        float *output);

// ---- MEAN, SUM, REDUCE_MAX and REDUCE_MIN over the middle axis of (outer, reduced, inner).
void spk_mean_f32__c(int32_t outer, int32_t reduced, int32_t inner, const float *input,
                     float *output);
void spk_sum_f32__c(int32_t outer, int32_t reduced, int32_t inner, const float *input,
                    float *output);
void spk_reduce_min_f32__c(int32_t outer, int32_t reduced, int32_t inner, const float *input,
                           float *output);
void spk_reduce_max_f32__c(int32_t outer, int32_t reduced, int32_t inner, const float *input,
                           float *output);

#ifdef __cplusplus
}
#endif
#endif  // SPK_OPERATORS_F32_H_
