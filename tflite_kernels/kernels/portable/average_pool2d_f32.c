// AVERAGE_POOL_2D, float32: the mean of what lies inside.
#include "spk/operators_f32.h"
#include "spk/window2d.h"

void spk_average_pool2d_f32__c(const spk_window2d *w, float act_min, float act_max,
                               const float *input, float *output) {
  const ptrdiff_t image = (ptrdiff_t)w->in_h * w->in_w * w->in_c;
  for (int32_t b = 0; b < w->batch; ++b, input += image) {
    for (int32_t y = 0; y < w->out_h; ++y) {
      for (int32_t x = 0; x < w->out_w; ++x) {
        const spk_span rows = spk_window_rows(w, y), cols = spk_window_cols(w, x);
        const float share = 1.0f / (float)((rows.end - rows.begin) * (cols.end - cols.begin));
        for (int32_t c = 0; c < w->in_c; ++c) {
          float result = 0.0f;
          for (int32_t in_y = rows.begin; in_y < rows.end; ++in_y) {
            const float *line = input + ((ptrdiff_t)in_y * w->in_w) * w->in_c + c;
            for (int32_t in_x = cols.begin; in_x < cols.end; ++in_x) {
              result += line[(ptrdiff_t)in_x * w->in_c];
            }
          }
          result *= share;
          *output++ = result < act_min ? act_min : result > act_max ? act_max : result;
        }
      }
    }
  }
}
