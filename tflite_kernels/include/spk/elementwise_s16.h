// Operators of the 16x8 quantisation that take one element after the other, bit for bit as
// TFLite. Zero points are 0. The output may be the memory of an input of the same size; of two
// inputs the second may repeat, as in spk/elementwise_s8.h.
#ifndef SPK_ELEMENTWISE_S16_H_
#define SPK_ELEMENTWISE_S16_H_

#include "spk/kernels_s8.h"

#ifdef __cplusplus
extern "C" {
#endif

// ---- ADD, with a left shift of 15, and MUL; offsets are not read.
void spk_add_s16__ref(const spk_add *p, const int16_t *a, const int16_t *b, int16_t *output);
void spk_mul_s16__ref(const spk_mul *p, const int16_t *a, const int16_t *b, int16_t *output);

// ---- RELU and its like: rescaled, then clamped.
typedef struct spk_relu_s16 {
  int32_t size;
  int32_t multiplier, shift;  // input scale / output scale
  int32_t act_min, act_max;
} spk_relu_s16;
void spk_relu_s16__ref(const spk_relu_s16 *p, const int16_t *input, int16_t *output);

// ---- LOGISTIC and TANH: between the values of a table. The output has scale 2^-15.
// `multiplier` and `right` bring an input to steps of 1 / 12288; table[i] is about
// 65536 / (1 + e^(-i / 24)).
typedef struct spk_logistic_curve_s16 {
  int32_t size;
  int32_t multiplier, right;
  const uint16_t *table;  // (256,)
} spk_logistic_curve_s16;
void spk_logistic_s16__ref(const spk_logistic_curve_s16 *p, const int16_t *input,
                           int16_t *output);
void spk_tanh_s16__ref(const spk_logistic_curve_s16 *p, const int16_t *input, int16_t *output);

// ---- SOFTMAX over the last axis of (rows, depth), of at most 65535. The output has scale
// 2^-15.
typedef struct spk_softmax_s16 {
  int32_t rows, depth;
  int32_t multiplier, shift;   // differences to steps of 10 / 65535
  const int16_t *exponential;  // (513,): e^x for x from -10 to 0
  const int16_t *reciprocal;   // (513,): 1 / (1 + x) for x from 0 to 1
} spk_softmax_s16;
void spk_softmax_s16__ref(const spk_softmax_s16 *p, const int16_t *input, int16_t *output);

// ---- MEAN over the middle axis of (outer, reduced, inner).
void spk_mean_s16__ref(const spk_mean *m, const int16_t *input, int16_t *output);

#ifdef __cplusplus
}
#endif
#endif  // SPK_ELEMENTWISE_S16_H_
