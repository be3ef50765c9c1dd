// CONV_2D, int8, dense: one pass over the weights serves a tile of pixels.
#include "spk/kernels_s8.h"
#include "spk/tile_s8.h"

size_t spk_conv2d_s8_dense__c_scratch(const spk_window2d *w) { return spk_tile_s8_bytes(w); }

static void tile_times_weights(const spk_window2d *w, const spk_requant *q, const int32_t *tile,
                               const int8_t *weights, const int32_t *bias, int32_t count,
                               int8_t *output) {
  const int32_t columns = w->kernel_h * w->kernel_w * w->in_c;
  for (int32_t c = 0; c < w->out_c; ++c, weights += columns) {
    const spk_tile_end end = {
        bias != NULL ? bias[c] : 0, columns, c, count, w->out_c, output + c};
    spk_tile_s8_dense_row(q, tile, weights, &end);
  }
}

void spk_conv2d_s8_dense__c(const spk_window2d *w, const spk_requant *q, const int8_t *input,
                            const int8_t *weights, const int32_t *bias, int8_t *output,
                            void *scratch) {
  const int32_t pixels = w->batch * w->out_h * w->out_w;
  const int32_t count = pixels < SPK_TILE_PIXELS ? pixels : SPK_TILE_PIXELS;
  for (int32_t at = 0; at < pixels; at += SPK_TILE_PIXELS) {
    const int32_t first = spk_tile_s8_first(at, pixels);
    spk_tile_s8_pack(w, q->input_offset, input, first, pixels, scratch);
    tile_times_weights(w, q, scratch, weights, bias, count,
                       output + (ptrdiff_t)first * w->out_c);
  }
}
