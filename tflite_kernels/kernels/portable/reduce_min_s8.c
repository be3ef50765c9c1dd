// REDUCE_MIN, int8, over the middle axis of (outer, reduced, inner).
#include <string.h>

#include "spk/kernels_s8.h"

void spk_reduce_min_s8__c(int32_t outer, int32_t reduced, int32_t inner, const int8_t *input,
                          int8_t *output) {
  for (int32_t o = 0; o < outer; ++o, output += inner) {
    memcpy(output, input, (size_t)inner);
    input += inner;
    for (int32_t r = 1; r < reduced; ++r, input += inner) {
      for (int32_t i = 0; i < inner; ++i)
        output[i] = input[i] < output[i] ? input[i] : output[i];
    }
  }
}
