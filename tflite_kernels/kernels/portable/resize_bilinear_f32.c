// RESIZE_BILINEAR, float32: four neighbours weighed.
#include "spk/operators_f32.h"

void spk_resize_bilinear_f32__c(const spk_resize *r, const float *input, float *output) {
  const ptrdiff_t depth = r->pixel, line = r->in_w * depth;
  for (int32_t b = 0; b < r->batch; ++b, input += r->in_h * line) {
    for (int32_t y = 0; y < r->out_h; ++y) {
      const float *upper = input + r->rows[y] * line, *lower = input + r->rows2[y] * line;
      for (int32_t x = 0; x < r->out_w; ++x) {
        const ptrdiff_t left = r->cols[x] * depth, right = r->cols2[x] * depth;
        const float share = r->col_shares[x], row_share = r->row_shares[y];
        for (ptrdiff_t c = 0; c < depth; ++c) {
          const float top = upper[left + c] * (1.0f - share) + upper[right + c] * share;
          const float bottom = lower[left + c] * (1.0f - share) + lower[right + c] * share;
          *output++ = top * (1.0f - row_share) + bottom * row_share;
        }
      }
    }
  }
}
