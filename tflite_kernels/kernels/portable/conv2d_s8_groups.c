// CONV_2D, int8, one weight in each group of 4 or 8 inputs: one pass over the weights serves a
// tile of pixels.
#include "spk/groups_s8.h"
#include "spk/kernels_s8.h"
#include "spk/tile_s8.h"

size_t spk_conv2d_s8_groups__c_scratch(const spk_window2d *w, int32_t m) {
  (void)m;
  return spk_tile_s8_bytes(w);
}

static void tile_times_groups(const spk_window2d *w, int32_t m, const spk_requant *q,
                              const int32_t *tile, const uint8_t *groups, const int32_t *bias,
                              int32_t count, int8_t *output) {
  const int32_t columns = w->kernel_h * w->kernel_w * w->in_c;
  for (int32_t c = 0; c < w->out_c; ++c) {
    const spk_tile_end end = {
        bias != NULL ? bias[c] : 0, columns, c, count, w->out_c, output + c};
    groups = spk_tile_s8_groups_row(q, m, tile, groups, &end);
  }
}

void spk_conv2d_s8_groups__c(const spk_window2d *w, int32_t m, const spk_requant *q,
                             const int8_t *input, const uint8_t *groups, const int32_t *bias,
                             int8_t *output, void *scratch) {
  const int32_t pixels = w->batch * w->out_h * w->out_w;
  const int32_t count = pixels < SPK_TILE_PIXELS ? pixels : SPK_TILE_PIXELS;
  for (int32_t at = 0; at < pixels; at += SPK_TILE_PIXELS) {
    const int32_t first = spk_tile_s8_first(at, pixels);
    spk_tile_s8_pack(w, q->input_offset, input, first, pixels, scratch);
    tile_times_groups(w, m, q, scratch, groups, bias, count,
                      output + (ptrdiff_t)first * w->out_c);
  }
}
