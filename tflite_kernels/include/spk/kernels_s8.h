// int8 kernels: TFLite's reference arithmetic, bit for bit, and the sparse ones.
//
// Activations are NHWC int8 with a zero point, weights int8 with zero point 0,
// biases int32 (NULL means zero). Shapes, offsets and multipliers come from the
// caller and have been checked by it; the kernels trust them. A packed stream
// must have passed spk_stream_s8_check. No kernel allocates or keeps state.
//
// Kernels that end in __ref are the specification. Kernels that end in __c are
// portable and fast: they give the same bytes. Those that end in __armv7em are for Arm cores
// with the DSP extension, and call their portable twins on other machines. Where a kernel needs
// memory, its twin ..._scratch tells how many bytes; scratch is aligned to 4 bytes.
#ifndef SPK_KERNELS_S8_H_
#define SPK_KERNELS_S8_H_

#include "spk/elementwise_s8.h"
#include "spk/gated_s8.h"
#include "spk/kernels_fours_s8.h"
#include "spk/kernels_lanes_s8.h"
#include "spk/kernels_s16.h"
#include "spk/moves.h"
#include "spk/recurrent_s8.h"
#include "spk/resize.h"
#include "spk/types.h"
#include "spk/winners.h"

#ifdef __cplusplus
extern "C" {
#endif

// ---- FULLY_CONNECTED: input (batch, cols), weights (rows, cols), output (batch, rows).
// Sums are rounded once (see spk_requant), as LiteRT's reference does.
void spk_fully_connected_s8_dense__ref(int32_t batch, int32_t rows, int32_t cols,
                                       const spk_requant *q, const int8_t *input,
                                       const int8_t *weights, const int32_t *bias,
                                       int8_t *output);
void spk_fully_connected_s8_dense__c(int32_t batch, int32_t rows, int32_t cols,
                                     const spk_requant *q, const int8_t *input,
                                     const int8_t *weights, const int32_t *bias,
                                     int8_t *output);
void spk_fully_connected_s8_stream__c(int32_t batch, int32_t rows, int32_t cols,
                                      const spk_requant *q, const int8_t *input,
                                      const uint8_t *stream, const int32_t *bias,
                                      int8_t *output, void *scratch);
size_t spk_fully_connected_s8_stream__c_scratch(int32_t batch, int32_t rows, int32_t cols);

// Skips inputs that equal their zero point: the weights are packed by columns, as the stream of
// the transposed matrix, (cols, rows).
void spk_fully_connected_s8_columns__c(int32_t batch, int32_t rows, int32_t cols,
                                       const spk_requant *q, const int8_t *input,
                                       const uint8_t *columns, const int32_t *bias,
                                       int8_t *output, void *scratch);
size_t spk_fully_connected_s8_columns__c_scratch(int32_t rows);

// For processors without DSP instructions, as Cortex-M0 and M3; elsewhere the same in C. The
// input offset is left to `bias`: offset * sum w is part of it.
void spk_fully_connected_s8_stream__armv6m(int32_t batch, int32_t rows, int32_t cols,
                                           const spk_requant *q, const int8_t *input,
                                           const uint8_t *stream, const int32_t *bias,
                                           int8_t *output);

// For processors with the DSP instructions of Armv7E-M; elsewhere the same in C. Blocks are
// packed by spk_blocks_s8_pack, groups of m inputs by spk_groups_s8_pack, twins by
// spk_twins_s8_pack, the stream by spk_stream_s8_pack_odd, and all are aligned to 4 bytes.
// Their kernels leave the input offset to `bias`: offset * sum w is part of it.
void spk_fully_connected_s8_dense__armv7em(int32_t batch, int32_t rows, int32_t cols,
                                           const spk_requant *q, const int8_t *input,
                                           const int8_t *weights, const int32_t *bias,
                                           int8_t *output, void *scratch);
size_t spk_fully_connected_s8_dense__armv7em_scratch(int32_t cols);
void spk_fully_connected_s8_blocks__armv7em(int32_t batch, int32_t rows, int32_t cols,
                                            const spk_requant *q, const int8_t *input,
                                            const uint8_t *blocks, const int32_t *bias,
                                            int8_t *output, void *scratch);
size_t spk_fully_connected_s8_blocks__armv7em_scratch(int32_t cols);
void spk_fully_connected_s8_stream__armv7em(int32_t batch, int32_t rows, int32_t cols,
                                            const spk_requant *q, const int8_t *input,
                                            const uint8_t *stream, const int32_t *bias,
                                            int8_t *output);

void spk_fully_connected_s8_twins__armv7em(int32_t batch, int32_t rows, int32_t cols,
                                           const spk_requant *q, const int8_t *input,
                                           const uint8_t *twins, const int32_t *bias,
                                           int8_t *output, void *scratch);
size_t spk_fully_connected_s8_twins__armv7em_scratch(int32_t cols);
void spk_fully_connected_s8_groups__armv7em(int32_t batch, int32_t rows, int32_t cols,
                                            int32_t m, const spk_requant *q,
                                            const int8_t *input, const uint8_t *groups,
                                            const int32_t *bias, int8_t *output);

// Weights that are instructions: a function that keras-prune's exporter writes, with the words
// that it reads. Inputs are widened by spk_widen_s8. If `q` has no multipliers, the function
// knows bias and scale of every row and writes int8; else it writes the sums, bias included.
typedef void (*spk_code_s8)(const int16_t *x, const uint32_t *literals, void *output);
void spk_fully_connected_s8_code__armv7em(int32_t batch, int32_t rows, int32_t cols,
                                          const spk_requant *q, const int8_t *input,
                                          spk_code_s8 code, const uint32_t *literals,
                                          int8_t *output, void *scratch);
size_t spk_fully_connected_s8_code__armv7em_scratch(int32_t rows, int32_t cols, int scales);

// ---- CONV_2D: weights (out_c, kernel_h, kernel_w, in_c); the stream packs the
// matrix (out_c, kernel_h * kernel_w * in_c).
void spk_conv2d_s8_dense__ref(const spk_window2d *w, const spk_requant *q, const int8_t *input,
                              const int8_t *weights, const int32_t *bias, int8_t *output);
void spk_conv2d_s8_dense__c(const spk_window2d *w, const spk_requant *q, const int8_t *input,
                            const int8_t *weights, const int32_t *bias, int8_t *output,
                            void *scratch);
size_t spk_conv2d_s8_dense__c_scratch(const spk_window2d *w);
void spk_conv2d_s8_stream__c(const spk_window2d *w, const spk_requant *q, const int8_t *input,
                             const uint8_t *stream, const int32_t *bias, int8_t *output,
                             void *scratch);
size_t spk_conv2d_s8_stream__c_scratch(const spk_window2d *w);
void spk_conv2d_s8_dense__armv7em(const spk_window2d *w, const spk_requant *q,
                                  const int8_t *input, const int8_t *weights,
                                  const int32_t *bias, int8_t *output, void *scratch);
size_t spk_conv2d_s8_dense__armv7em_scratch(const spk_window2d *w);
void spk_conv2d_s8_stream__armv7em(const spk_window2d *w, const spk_requant *q,
                                   const int8_t *input, const uint8_t *stream,
                                   const int32_t *bias, int8_t *output, void *scratch);
size_t spk_conv2d_s8_stream__armv7em_scratch(const spk_window2d *w);
// One weight in each group of `m` columns, packed by spk_groups_s8_pack.
void spk_conv2d_s8_groups__c(const spk_window2d *w, int32_t m, const spk_requant *q,
                             const int8_t *input, const uint8_t *groups, const int32_t *bias,
                             int8_t *output, void *scratch);
size_t spk_conv2d_s8_groups__c_scratch(const spk_window2d *w, int32_t m);
void spk_conv2d_s8_groups__armv7em(const spk_window2d *w, int32_t m, const spk_requant *q,
                                   const int8_t *input, const uint8_t *groups,
                                   const int32_t *bias, int8_t *output, void *scratch);
size_t spk_conv2d_s8_groups__armv7em_scratch(const spk_window2d *w, int32_t m);

// ---- DEPTHWISE_CONV_2D: weights (1, kernel_h, kernel_w, out_c); the channel
// multiplier is out_c / in_c, and output channel c reads input channel
// c / multiplier.
void spk_depthwise_conv2d_s8_dense__ref(const spk_window2d *w, const spk_requant *q,
                                        const int8_t *input, const int8_t *weights,
                                        const int32_t *bias, int8_t *output);
void spk_depthwise_conv2d_s8_dense__c(const spk_window2d *w, const spk_requant *q,
                                      const int8_t *input, const int8_t *weights,
                                      const int32_t *bias, int8_t *output, void *scratch);
size_t spk_depthwise_conv2d_s8_dense__c_scratch(const spk_window2d *w);
void spk_depthwise_conv2d_s8_dense__armv7em(const spk_window2d *w, const spk_requant *q,
                                            const int8_t *input, const int8_t *weights,
                                            const int32_t *bias, int8_t *output, void *scratch);
size_t spk_depthwise_conv2d_s8_dense__armv7em_scratch(const spk_window2d *w);

// ---- Pooling: out_c == in_c; padding takes no part. Every window must touch the
// input. Input and output share scale and zero point.
void spk_max_pool2d_s8__ref(const spk_window2d *w, int32_t act_min, int32_t act_max,
                            const int8_t *input, int8_t *output);
void spk_max_pool2d_s8__c(const spk_window2d *w, int32_t act_min, int32_t act_max,
                          const int8_t *input, int8_t *output);
void spk_max_pool2d_s8__armv7em(const spk_window2d *w, int32_t act_min, int32_t act_max,
                                const int8_t *input, int8_t *output);
void spk_max_pool2d_s8__mve(const spk_window2d *w, int32_t act_min, int32_t act_max,
                            const int8_t *input, int8_t *output);
void spk_average_pool2d_s8__ref(const spk_window2d *w, int32_t act_min, int32_t act_max,
                                const int8_t *input, int8_t *output);
void spk_average_pool2d_s8__armv7em(const spk_window2d *w, int32_t act_min, int32_t act_max,
                                    const int8_t *input, int8_t *output);

// ---- MEAN over the middle axis of (outer, reduced, inner).
typedef struct spk_mean {
  int32_t outer, reduced, inner;
  int32_t input_zero_point, output_zero_point;
  int32_t multiplier, shift;  // input scale / output scale (see the kernel)
} spk_mean;
void spk_mean_s8__ref(const spk_mean *m, const int8_t *input, int8_t *output);
void spk_mean_s8__armv7em(const spk_mean *m, const int8_t *input, int8_t *output);

// ---- SUM over the middle axis of (outer, reduced, inner).
typedef struct spk_sum {
  int32_t outer, reduced, inner;
  float scale, offset;  // input scale / output scale; output - input zero points, scaled
} spk_sum;
void spk_sum_s8__c(const spk_sum *p, const int8_t *input, int8_t *output);

// ---- REDUCE_MAX and REDUCE_MIN over the middle axis of (outer, reduced, inner), in one scale.
void spk_reduce_min_s8__c(int32_t outer, int32_t reduced, int32_t inner, const int8_t *input,
                          int8_t *output);
void spk_reduce_max_s8__c(int32_t outer, int32_t reduced, int32_t inner, const int8_t *input,
                          int8_t *output);

// ---- ADD: output[i] = a[i] + b[i % b_period]: b_period == size adds elementwise,
// 1 adds a scalar, the channel count adds a vector to every pixel.
typedef struct spk_add {
  int32_t size, b_period;
  int32_t a_offset, b_offset, output_offset;  // -zero points, then +zero point
  int32_t a_multiplier, a_shift, b_multiplier, b_shift;
  int32_t output_multiplier, output_shift;
  int32_t left_shift;  // 20; the other shifts are 0 or negative
  int32_t act_min, act_max;
} spk_add;
void spk_add_s8__ref(const spk_add *p, const int8_t *a, const int8_t *b, int8_t *output);
void spk_add_s8__armv7em(const spk_add *p, const int8_t *a, const int8_t *b, int8_t *output);

// ---- SOFTMAX over the last axis of (rows, depth); the output has scale 1/256 and
// zero point -128.
typedef struct spk_softmax {
  int32_t rows, depth;
  int32_t multiplier, left_shift;  // beta * input scale, in Q5.26
  int32_t diff_min;                // smaller differences to the maximum count as zero
} spk_softmax;
void spk_softmax_s8__ref(const spk_softmax *p, const int8_t *input, int8_t *output);

// ---- PAD: (d0, d1, d2, d3) with `before[i]` and `after[i]` values of `value` added.
typedef struct spk_pad {
  int32_t shape[4], before[4], after[4];
  int8_t value;
} spk_pad;
void spk_pad_s8__ref(const spk_pad *p, const int8_t *input, int8_t *output);

// ---- QUANTIZE and DEQUANTIZE at the ends of a model.
void spk_quantize_f32_s8__ref(int32_t size, float scale, int32_t zero_point, const float *input,
                              int8_t *output);
void spk_dequantize_s8_f32__ref(int32_t size, float scale, int32_t zero_point,
                                const int8_t *input, float *output);

#ifdef __cplusplus
}
#endif

#include "spk/elementwise_s16.h"  // with the parameters that are declared here

#endif  // SPK_KERNELS_S8_H_
