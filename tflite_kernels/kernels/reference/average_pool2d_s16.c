// AVERAGE_POOL_2D, int16: the mean of what lies inside, ties away from zero.
#include "spk/kernels_s8.h"
#include "spk/requantize_s8.h"
#include "spk/window2d.h"

static int32_t rounded_quotient(int32_t sum, int32_t count) {
  return (sum > 0 ? sum + count / 2 : sum - count / 2) / count;
}

void spk_average_pool2d_s16__ref(const spk_window2d *w, int32_t act_min, int32_t act_max,
                                 const int16_t *input, int16_t *output) {
  const ptrdiff_t image = (ptrdiff_t)w->in_h * w->in_w * w->in_c;
  for (int32_t b = 0; b < w->batch; ++b, input += image) {
    for (int32_t y = 0; y < w->out_h; ++y) {
      for (int32_t x = 0; x < w->out_w; ++x) {
        const spk_span rows = spk_window_rows(w, y), cols = spk_window_cols(w, x);
        const int32_t count = (rows.end - rows.begin) * (cols.end - cols.begin);
        for (int32_t c = 0; c < w->in_c; ++c) {
          int32_t sum = 0;
          for (int32_t in_y = rows.begin; in_y < rows.end; ++in_y) {
            const int16_t *line = input + ((ptrdiff_t)in_y * w->in_w) * w->in_c + c;
            for (int32_t in_x = cols.begin; in_x < cols.end; ++in_x) {
              sum += line[(ptrdiff_t)in_x * w->in_c];
            }
          }
          *output++ = (int16_t)spk_clamp(rounded_quotient(sum, count), act_min, act_max);
        }
      }
    }
  }
}
