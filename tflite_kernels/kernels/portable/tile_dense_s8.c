// One row of dense weights over a tile of pixels (see spk/tile_s8.h).
#include "spk/tile_s8.h"

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

void spk_tile_s8_dense_row(const spk_requant *q, const int32_t *tile, const int8_t *weights,
                           const spk_tile_end *end) {
  if (end->terms > spk_tile_s8_run(q)) {
    long_row(q, tile, weights, end->terms, end);
  } else {
    spk_lanes acc[SPK_TILE_WORDS];
    run_columns(weights, end->terms, tile, acc);
    spk_tile_s8_store(acc, q, end);
  }
}
