// CONV_2D, int8, dense: one pass over the weights serves a tile of pixels.
#include "spk/kernels_s8.h"
#include "spk/tile_s8.h"

size_t spk_conv2d_s8_dense__c_scratch(const spk_window2d *w) { return spk_tile_s8_bytes(w); }

// One run of columns.
SPK_NOINLINE void run_columns(const int8_t *restrict weights, int32_t columns,
                              const int32_t *restrict x, spk_lanes out[SPK_TILE_WORDS]) {
  spk_lanes a0 = SPK_LANES_EMPTY, a1 = SPK_LANES_EMPTY;
  spk_lanes a2 = SPK_LANES_EMPTY, a3 = SPK_LANES_EMPTY;
  for (const int8_t *end = weights + columns; weights < end; x += SPK_TILE_WORDS) {
    const int32_t weight = *weights++;
    SPK_TILE_MULTIPLY(a0, a1, a2, a3, weight, x);
  }
  out[0] = a0;
  out[1] = a1;
  out[2] = a2;
  out[3] = a3;
}

static void long_row(const spk_requant *q, const int32_t *tile, const int8_t *weights,
                     int32_t columns, const spk_tile_end *end) {
  const int32_t most = spk_tile_s8_run(q);
  int32_t sums[SPK_TILE_PIXELS];
  for (int32_t i = 0; i < SPK_TILE_PIXELS; ++i) sums[i] = end->bias;
  for (; columns > 0; columns -= most, weights += most, tile += most * SPK_TILE_WORDS) {
    spk_lanes acc[SPK_TILE_WORDS];
    run_columns(weights, columns < most ? columns : most, tile, acc);
    spk_tile_s8_empty(acc, sums);
  }
  spk_tile_s8_store_sums(sums, q, end);
}

static void tile_times_weights(const spk_window2d *w, const spk_requant *q, const int32_t *tile,
                               const int8_t *weights, const int32_t *bias, int32_t count,
                               int8_t *output) {
  const int32_t columns = w->kernel_h * w->kernel_w * w->in_c;
  for (int32_t c = 0; c < w->out_c; ++c, weights += columns) {
    const spk_tile_end end = {
        bias != NULL ? bias[c] : 0, columns, c, count, w->out_c, output + c};
    if (columns > spk_tile_s8_run(q)) {
      long_row(q, tile, weights, columns, &end);
    } else {
      spk_lanes acc[SPK_TILE_WORDS];
      run_columns(weights, columns, tile, acc);
      spk_tile_s8_store(acc, q, &end);
    }
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
