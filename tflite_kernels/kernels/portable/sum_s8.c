// SUM, int8, over the middle axis of (outer, reduced, inner): scaled in float32 as LiteRT's
// default kernel does, which rounds ties to even. (Its reference kernel takes int8 for uint8.)
#include "spk/kernels_s8.h"
#include "spk/requantize_s8.h"

void spk_sum_s8__c(const spk_sum *p, const int8_t *input, int8_t *output) {
  const float whole = 12582912.0f;  // 1.5 * 2^23: adding it leaves no fraction
  for (int32_t o = 0; o < p->outer; ++o, input += (ptrdiff_t)p->reduced * p->inner) {
    for (int32_t i = 0; i < p->inner; ++i) {
      int32_t sum = 0;
      for (int32_t r = 0; r < p->reduced; ++r) sum += input[(ptrdiff_t)r * p->inner + i];
      const float product = (float)sum * p->scale;
      float scaled = product + p->offset;
      scaled = scaled < -1000.0f ? -1000.0f : scaled > 1000.0f ? 1000.0f : scaled;
      const float rounded = (scaled + whole) - whole;
      *output++ = (int8_t)spk_clamp((int32_t)rounded, INT8_MIN, INT8_MAX);
    }
  }
}
