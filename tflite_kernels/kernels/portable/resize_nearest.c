// RESIZE_NEAREST_NEIGHBOR: every output pixel is a copy of an input pixel.
#include <string.h>

#include "spk/kernels_s8.h"

void spk_resize_nearest__c(const spk_resize *r, const void *input, void *output) {
  const size_t pixel = (size_t)r->pixel, line = (size_t)r->in_w * pixel;
  const uint8_t *image = input;
  uint8_t *to = output;
  for (int32_t b = 0; b < r->batch; ++b, image += (size_t)r->in_h * line) {
    for (int32_t y = 0; y < r->out_h; ++y) {
      const uint8_t *row = image + (size_t)r->rows[y] * line;
      for (int32_t x = 0; x < r->out_w; ++x, to += pixel) {
        memcpy(to, row + (size_t)r->cols[x] * pixel, pixel);
      }
    }
  }
}
