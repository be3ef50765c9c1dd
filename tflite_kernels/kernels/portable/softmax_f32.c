// SOFTMAX, float32, over the last axis; the largest is taken off first.
#include "spk/exp_f32.h"
#include "spk/operators_f32.h"

void spk_softmax_f32__c(int32_t rows, int32_t depth, float beta, const float *input,
                        float *output) {
  for (int32_t r = 0; r < rows; ++r, input += depth, output += depth) {
    float highest = input[0], sum = 0.0f;
    for (int32_t c = 1; c < depth; ++c) highest = input[c] > highest ? input[c] : highest;
    for (int32_t c = 0; c < depth; ++c) {
      output[c] = spk_exp_f32((input[c] - highest) * beta);
      sum += output[c];
    }
    const float scale = 1.0f / sum;
    for (int32_t c = 0; c < depth; ++c) output[c] *= scale;
  }
}
