// One row of groups with one weight each over a tile of pixels (see spk/tile_s8.h).
#include "spk/groups_s8.h"
#include "spk/tile_s8.h"

// The groups from `first` to `last` of a row.
SPK_NOINLINE void run_groups(const uint8_t *restrict row, int32_t m, int32_t first,
                             int32_t last, const int32_t *restrict tile,
                             spk_lanes out[SPK_TILE_WORDS]) {
  spk_lanes a0 = SPK_LANES_EMPTY, a1 = SPK_LANES_EMPTY;
  spk_lanes a2 = SPK_LANES_EMPTY, a3 = SPK_LANES_EMPTY;
  const int32_t of_unit = SPK_UNIT_COLUMNS / m;
  const int32_t *x = tile + first * m * SPK_TILE_WORDS;
  for (int32_t g = first; g < last; ++g, x += m * SPK_TILE_WORDS) {
    const uint8_t *unit = row + g / of_unit * (4 + of_unit);
    const int32_t in_unit = g % of_unit, place = spk_group_place(unit, in_unit, m);
    SPK_TILE_MULTIPLY(a0, a1, a2, a3, (int8_t)unit[4 + in_unit], x + place * SPK_TILE_WORDS);
  }
  out[0] = a0;
  out[1] = a1;
  out[2] = a2;
  out[3] = a3;
}

const uint8_t *spk_tile_s8_groups_row(const spk_requant *q, int32_t m, const int32_t *tile,
                                      const uint8_t *groups, const spk_tile_end *end) {
  const int32_t of_row = (end->terms + m - 1) / m, of_unit = SPK_UNIT_COLUMNS / m;
  const int32_t most = spk_tile_s8_run(q), rest = of_row % of_unit;
  spk_lanes acc[SPK_TILE_WORDS];
  if (of_row <= most) {
    run_groups(groups, m, 0, of_row, tile, acc);
    spk_tile_s8_store(acc, q, end);
  } else {
    int32_t sums[SPK_TILE_PIXELS];
    for (int32_t i = 0; i < SPK_TILE_PIXELS; ++i) sums[i] = end->bias;
    for (int32_t first = 0; first < of_row; first += most) {
      run_groups(groups, m, first, of_row - first < most ? of_row : first + most, tile, acc);
      spk_tile_s8_empty(acc, sums);
    }
    spk_tile_s8_store_sums(sums, q, end);
  }
  return groups + of_row / of_unit * (4 + of_unit) + (rest > 0 ? 4 + (rest + 3) / 4 * 4 : 0);
}
