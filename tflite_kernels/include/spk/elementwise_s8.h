// int8 operators that take one element after the other: one input by a table, or two inputs.
//
// The output may be the memory of an input of the same size. Of two inputs the second may
// repeat: output[i] = f(a[i], b[i % period]), where `size` is a multiple of `period`.
#ifndef SPK_ELEMENTWISE_S8_H_
#define SPK_ELEMENTWISE_S8_H_

#include "spk/types.h"

#ifdef __cplusplus
extern "C" {
#endif

// ---- Any function of one int8: output[i] = table[input[i] + 128].
void spk_lookup_s8__c(int32_t size, const int8_t *table, const int8_t *input, int8_t *output);

// ---- MUL
typedef struct spk_mul {
  int32_t size, period;
  int32_t a_offset, b_offset, output_offset;  // -zero points, then +zero point
  int32_t multiplier, shift;                  // a scale * b scale / output scale
  int32_t act_min, act_max;
} spk_mul;
void spk_mul_s8__ref(const spk_mul *p, const int8_t *a, const int8_t *b, int8_t *output);

// ---- PRELU: a where it is not negative, else a * alpha.
typedef struct spk_prelu {
  int32_t size, period;
  int32_t a_offset, alpha_offset, output_offset;  // -zero points, then +zero point
  int32_t multiplier, shift;                      // a scale / output scale
  int32_t alpha_multiplier, alpha_shift;          // a scale * alpha scale / output scale
} spk_prelu;
void spk_prelu_s8__ref(const spk_prelu *p, const int8_t *a, const int8_t *alpha,
                       int8_t *output);

// ---- SQUARED_DIFFERENCE
typedef struct spk_squared_difference {
  int32_t size, period;
  int32_t a_offset, b_offset, output_offset;  // -zero points, then +zero point
  int32_t a_multiplier, a_shift, b_multiplier, b_shift;
  int32_t multiplier, shift;  // of the square
} spk_squared_difference;
void spk_squared_difference_s8__ref(const spk_squared_difference *p, const int8_t *a,
                                    const int8_t *b, int8_t *output);

// ---- MAXIMUM and MINIMUM of values of one scale.
void spk_maximum_s8__c(int32_t size, int32_t period, const int8_t *a, const int8_t *b,
                       int8_t *output);
void spk_minimum_s8__c(int32_t size, int32_t period, const int8_t *a, const int8_t *b,
                       int8_t *output);

#ifdef __cplusplus
}
#endif
#endif  // SPK_ELEMENTWISE_S8_H_
