// Tiles of eight pixels for convolutions over lanes_s8 (see spk/armv81m.h). Tiles run along the
// pixels; a last tile that would stick out is moved back over pixels already done.
#include "spk/armv81m.h"
#include "spk/kernels_s8.h"
#include "spk/lanes_s8.h"

enum { MOST_CHANNELS = 65535 / SPK_MVE_PIXELS };  // so that places of pixels fit 16 bits

typedef struct tiles {
  const spk_mve_job *job;
  spk_mve_channel *channels;  // (out_c,)
  spk_mve_tile tile;
  spk_mve_end end;
} tiles;

size_t spk_conv2d_s8_lanes__mve_scratch(const spk_window2d *w) {
  return (size_t)w->out_c * sizeof(spk_mve_channel) + spk_mve_tile_bytes(w, SPK_MVE_PIXELS);
}

// ---- Rows.

// One row for one pixel in plain C; returns the sum without the bias.
static int32_t sum_of_row(const tiles *t, const int8_t *tile, int32_t stride, int32_t p,
                          const uint8_t *row) {
  const int32_t block = t->job->block, groups = spk_lanes_u16(row);
  const uint8_t *group = row + SPK_LANES_HEADER;
  int32_t sum = 0;
  for (int32_t g = 0; g < groups; ++g, group += spk_lanes_group_bytes(block)) {
    for (int32_t lane = 0; lane < SPK_LANES; ++lane) {
      const int32_t column = spk_lanes_column(group, block, lane);
      const int32_t at = block == 1 ? p * stride + column
                                    : column / 4 * 4 * SPK_MVE_PIXELS + 4 * p + column % 4;
      sum += tile[at] * (int8_t)group[spk_lanes_weights_at(block) + lane];
    }
  }
  return sum;
}

static void rows_in_c(const tiles *t, const int8_t *tile, int32_t stride, int32_t count,
                      int32_t c, const uint8_t *row, int8_t *output) {
  const spk_window2d *const w = t->job->w;
  for (int32_t p = 0; p < count; ++p, output += w->out_c) {
    const uint32_t sum = (uint32_t)sum_of_row(t, tile, stride, p, row);
    *output = spk_requantize_s8((int32_t)(sum + (uint32_t)t->job->bias[c]), t->job->q, c);
  }
}

static void multiply(const tiles *t, const int8_t *tile, int32_t stride, int32_t count,
                     int8_t *output) {
  const spk_window2d *const w = t->job->w;
  const uint8_t *row = t->job->lanes;
  for (int32_t c = 0; c < w->out_c;) {
#if SPK_MVE
    if (count == SPK_MVE_PIXELS && t->channels[c].more >= 0) {
      const int is_floor = t->end.output_offset <= t->end.act_min;
      spk_mve_rows *const rows = is_floor ? t->job->floor_rows : t->job->rows;
      row = rows(tile, stride, row, &t->channels[c], output + c, &t->end);
      c += 1 + t->channels[c].more;
      continue;
    }
#endif
    rows_in_c(t, tile, stride, count, c, row, output + c);
    row += SPK_LANES_HEADER + spk_lanes_u16(row) * spk_lanes_group_bytes(t->job->block);
    ++c;
  }
}

static void prepare(tiles *t) {
  const spk_window2d *const w = t->job->w;
  const spk_requant *const q = t->job->q;
  int32_t more = -1;
  for (int32_t c = w->out_c - 1; c >= 0; --c) {
    const int common = q->shift[c] < 0 && w->out_c <= MOST_CHANNELS;
    more = common ? more + 1 : -1;
    const spk_mve_channel channel = {t->job->bias[c], q->multiplier[c], q->shift[c], more};
    t->channels[c] = channel;
  }
  for (int32_t p = 0; p < SPK_MVE_PIXELS; ++p) {
    t->end.place[p < 4 ? 2 * p : 2 * p - 7] = (uint16_t)(p * w->out_c);
  }
  t->end.output_offset = q->output_offset;
  t->end.act_min = q->act_min;
  t->end.act_max = q->act_max;
}

void spk_conv_lanes_mve(const spk_mve_job *job, const int8_t *input, int8_t *output,
                        void *scratch) {
  const spk_window2d *const w = job->w;
  const int32_t pixels = w->batch * w->out_h * w->out_w;
  tiles t = {.job = job, .channels = scratch};
  t.tile = spk_mve_new_tile(w, job->block, -job->q->input_offset, t.channels + w->out_c);
  prepare(&t);
  const int32_t count = pixels < SPK_MVE_PIXELS ? pixels : SPK_MVE_PIXELS;
  for (int32_t at = 0; at < pixels; at += SPK_MVE_PIXELS) {
    const int32_t first = at + count <= pixels ? at : pixels - count;
    int8_t *const to = output + (ptrdiff_t)first * w->out_c;
    if (spk_mve_is_pointwise(w) && job->block == 1) {
      multiply(&t, input + (ptrdiff_t)first * w->in_c, w->in_c, count, to);
      continue;
    }
    for (int32_t p = 0; p < count; ++p) spk_pack_pixel_mve(&t.tile, p, input, first + p);
    multiply(&t, t.tile.bytes, t.tile.columns, count, to);
  }
}
