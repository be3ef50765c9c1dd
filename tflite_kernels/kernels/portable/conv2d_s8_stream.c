// CONV_2D, int8, sparse stream: one pass over the pairs serves a tile of pixels.
#include "spk/kernels_s8.h"
#include "spk/tile_s8.h"

size_t spk_conv2d_s8_stream__c_scratch(const spk_window2d *w) { return spk_tile_s8_bytes(w); }

// One run of pairs; returns where it ended in the tile.
SPK_NOINLINE const int32_t *run_pairs(const uint8_t *restrict stream, int32_t pairs,
                                      const int32_t *restrict x,
                                      spk_lanes out[SPK_TILE_WORDS]) {
  spk_lanes a0 = SPK_LANES_EMPTY, a1 = SPK_LANES_EMPTY;
  spk_lanes a2 = SPK_LANES_EMPTY, a3 = SPK_LANES_EMPTY;
  for (const uint8_t *end = stream + 2 * pairs; stream < end; stream += 2) {
    x += stream[0] * SPK_TILE_WORDS;
    SPK_TILE_MULTIPLY(a0, a1, a2, a3, (int8_t)stream[1], x);
  }
  out[0] = a0;
  out[1] = a1;
  out[2] = a2;
  out[3] = a3;
  return x;
}

static void long_row(const spk_requant *q, const int32_t *tile, const uint8_t *stream,
                     int32_t pairs, const spk_tile_end *end) {
  int32_t sums[SPK_TILE_PIXELS];
  for (int32_t i = 0; i < SPK_TILE_PIXELS; ++i) sums[i] = end->bias;
  for (const int32_t most = spk_tile_s8_run(q); pairs > 0; pairs -= most, stream += 2 * most) {
    spk_lanes acc[SPK_TILE_WORDS];
    tile = run_pairs(stream, pairs < most ? pairs : most, tile, acc);
    spk_tile_s8_empty(acc, sums);
  }
  spk_tile_s8_store_sums(sums, q, end);
}

static void tile_times_stream(const spk_window2d *w, const spk_requant *q, const int32_t *tile,
                              const uint8_t *stream, const int32_t *bias, int32_t count,
                              int8_t *output) {
  const int32_t columns = w->kernel_h * w->kernel_w * w->in_c;
  for (int32_t c = 0; c < w->out_c; ++c) {
    const spk_tile_end end = {
        bias != NULL ? bias[c] : 0, columns, c, count, w->out_c, output + c};
    const int32_t pairs = stream[0] | stream[1] << 8;
    if (pairs > spk_tile_s8_run(q)) {
      long_row(q, tile, stream + 2, pairs, &end);
    } else {
      spk_lanes acc[SPK_TILE_WORDS];
      run_pairs(stream + 2, pairs, tile, acc);
      spk_tile_s8_store(acc, q, &end);
    }
    stream += 2 + 2 * pairs;
  }
}

void spk_conv2d_s8_stream__c(const spk_window2d *w, const spk_requant *q, const int8_t *input,
                             const uint8_t *stream, const int32_t *bias, int8_t *output,
                             void *scratch) {
  const int32_t pixels = w->batch * w->out_h * w->out_w;
  const int32_t count = pixels < SPK_TILE_PIXELS ? pixels : SPK_TILE_PIXELS;
  for (int32_t at = 0; at < pixels; at += SPK_TILE_PIXELS) {
    const int32_t first = spk_tile_s8_first(at, pixels);
    spk_tile_s8_pack(w, q->input_offset, input, first, pixels, scratch);
    tile_times_stream(w, q, scratch, stream, bias, count, output + (ptrdiff_t)first * w->out_c);
  }
}
