// RESIZE_BILINEAR, int8: four neighbours weighed in steps of 1/1024 along each axis.
#include "spk/kernels_s8.h"

// The weights of four neighbours sum to 2^20. Ties round away from zero.
static int8_t weighed(int32_t top, int32_t bottom, int32_t row_part) {
  const int32_t sum = top * (1024 - row_part) + bottom * row_part;
  return (int8_t)((sum + (sum > 0 ? 1 << 19 : -(1 << 19))) / (1 << 20));
}

void spk_resize_bilinear_s8__ref(const spk_resize *r, const int8_t *input, int8_t *output) {
  const ptrdiff_t depth = r->pixel, line = r->in_w * depth;
  for (int32_t b = 0; b < r->batch; ++b, input += r->in_h * line) {
    for (int32_t y = 0; y < r->out_h; ++y) {
      const int8_t *upper = input + r->rows[y] * line, *lower = input + r->rows2[y] * line;
      for (int32_t x = 0; x < r->out_w; ++x) {
        const ptrdiff_t left = r->cols[x] * depth, right = r->cols2[x] * depth;
        const int32_t part = r->col_parts[x];
        for (ptrdiff_t c = 0; c < depth; ++c) {
          const int32_t top = upper[left + c] * (1024 - part) + upper[right + c] * part;
          const int32_t bottom = lower[left + c] * (1024 - part) + lower[right + c] * part;
          *output++ = weighed(top, bottom, r->row_parts[y]);
        }
      }
    }
  }
}
