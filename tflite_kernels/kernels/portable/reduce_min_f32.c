// REDUCE_MIN, float32, over the middle axis of (outer, reduced, inner).
#include "spk/operators_f32.h"

void spk_reduce_min_f32__c(int32_t outer, int32_t reduced, int32_t inner, const float *input,
                           float *output) {
  for (int32_t o = 0; o < outer; ++o, input += (ptrdiff_t)reduced * inner) {
    for (int32_t i = 0; i < inner; ++i) {
      float lowest = input[i];
      for (int32_t r = 1; r < reduced; ++r) {
        const float x = input[(ptrdiff_t)r * inner + i];
        lowest = x < lowest ? x : lowest;
      }
      *output++ = lowest;
    }
  }
}
