// One row of a sparse stream over a tile of pixels (see spk/tile_s8.h).
#include "spk/tile_s8.h"

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

const uint8_t *spk_tile_s8_stream_row(const spk_requant *q, const int32_t *tile,
                                      const uint8_t *stream, const spk_tile_end *end) {
  const int32_t pairs = stream[0] | stream[1] << 8;
  stream += 2;
  if (pairs > spk_tile_s8_run(q)) {
    long_row(q, tile, stream, pairs, end);
  } else {
    spk_lanes acc[SPK_TILE_WORDS];
    run_pairs(stream, pairs, tile, acc);
    spk_tile_s8_store(acc, q, end);
  }
  return stream + 2 * pairs;
}
