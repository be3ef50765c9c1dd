// MAX_POOL_2D, int16.
#include "spk/kernels_s8.h"
#include "spk/requantize_s8.h"
#include "spk/window2d.h"

void spk_max_pool2d_s16__ref(const spk_window2d *w, int32_t act_min, int32_t act_max,
                             const int16_t *input, int16_t *output) {
  const ptrdiff_t image = (ptrdiff_t)w->in_h * w->in_w * w->in_c;
  for (int32_t b = 0; b < w->batch; ++b, input += image) {
    for (int32_t y = 0; y < w->out_h; ++y) {
      for (int32_t x = 0; x < w->out_w; ++x) {
        const spk_span rows = spk_window_rows(w, y), cols = spk_window_cols(w, x);
        for (int32_t c = 0; c < w->in_c; ++c) {
          int32_t best = INT16_MIN;
          for (int32_t in_y = rows.begin; in_y < rows.end; ++in_y) {
            const int16_t *line = input + ((ptrdiff_t)in_y * w->in_w) * w->in_c + c;
            for (int32_t in_x = cols.begin; in_x < cols.end; ++in_x) {
              const int32_t value = line[(ptrdiff_t)in_x * w->in_c];
              if (value > best) best = value;
            }
          }
          *output++ = (int16_t)spk_clamp(best, act_min, act_max);
        }
      }
    }
  }
}
