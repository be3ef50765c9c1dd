// Tiles of eight pixels for convolutions over lanes_s8 (see spk/armv81m.h). Tiles run along the
// pixels; a last tile that would stick out is moved back over pixels already done.
#include <string.h>

#include "spk/armv81m.h"
#include "spk/kernels_s8.h"
#include "spk/lanes_s8.h"

enum { MOST_CHANNELS = 65535 / SPK_MVE_PIXELS };  // so that places of pixels fit 16 bits

typedef struct tiles {
  const spk_mve_job *job;
  spk_mve_channel *channels;  // (out_c,)
  int8_t *nothing;            // a row of taps in the padding
  int8_t *tile;
  int32_t columns, row_columns;  // of the weights, and of a row of taps
  spk_mve_end end;
} tiles;

static size_t padded(int32_t bytes) { return ((size_t)bytes + 15) & ~(size_t)15; }

size_t spk_conv2d_s8_lanes__mve_scratch(const spk_window2d *w) {
  const int32_t row_columns = w->kernel_w * w->in_c;
  return (size_t)w->out_c * sizeof(spk_mve_channel) + padded(row_columns) +
         (size_t)w->kernel_h * (size_t)row_columns * SPK_MVE_PIXELS;
}

// ---- Packing.

#if SPK_MVE

SPK_INLINE void copy_bytes(int8_t *to, const int8_t *from, int32_t count) {
  __asm__ volatile(
      "wlstp.8 lr, %[count], 2f\n"
      "1: vldrb.u8 q0, [%[from]], #16\n\t"
      "vstrb.8 q0, [%[to]], #16\n\t"
      "letp lr, 1b\n"
      "2:"
      : [to] "+r"(to), [from] "+r"(from)
      : [count] "r"(count)
      : "lr", "d0", "d1", "cc", "memory");
}

// Words 32 bytes apart. The store adds 128 to its addresses before it takes them.
SPK_INLINE void spread_words(int8_t *to, const int8_t *from, int32_t count) {
  static const int32_t kBefore[4] = {-128, -96, -64, -32};
  __asm__ volatile(
      "vldrw.u32 q1, [%[before]]\n\t"
      "vadd.i32 q1, q1, %[to]\n\t"
      "wlstp.8 lr, %[count], 2f\n"
      "1: vldrb.u8 q0, [%[from]], #16\n\t"
      "vstrw.32 q0, [q1, #128]!\n\t"
      "letp lr, 1b\n"
      "2:"
      : [from] "+r"(from)
      : [to] "r"(to), [count] "r"(count), [before] "r"(kBefore)
      : "lr", "d0", "d1", "d2", "d3", "cc", "memory");
}

#else

static void copy_bytes(int8_t *to, const int8_t *from, int32_t count) {
  memcpy(to, from, (size_t)count);
}

static void spread_words(int8_t *to, const int8_t *from, int32_t count) {
  for (int32_t i = 0; i < count; i += 4) memcpy(to + 8 * i, from + i, 4);
}

#endif

// `count` columns of pixel `p` from `column` on.
SPK_INLINE void put(const tiles *t, int32_t p, int32_t column, const int8_t *from,
                    int32_t count) {
  if (t->job->block == 1) {
    copy_bytes(t->tile + p * t->columns + column, from, count);
  } else {
    spread_words(t->tile + column * SPK_MVE_PIXELS + 4 * p, from, count);
  }
}

// A row of taps of pixel p, of which the first reads column x of an input row that may be NULL.
static void pack_row(const tiles *t, int32_t p, int32_t column, const int8_t *row, int32_t x) {
  const spk_window2d *const w = t->job->w;
  if (row == NULL) {
    put(t, p, column, t->nothing, t->row_columns);
  } else if (w->dilation_w == 1 && x >= 0 && x + w->kernel_w <= w->in_w) {
    put(t, p, column, row + (ptrdiff_t)x * w->in_c, t->row_columns);
  } else {
    for (int32_t kx = 0; kx < w->kernel_w; ++kx, x += w->dilation_w, column += w->in_c) {
      const int inside = (uint32_t)x < (uint32_t)w->in_w;
      put(t, p, column, inside ? row + (ptrdiff_t)x * w->in_c : t->nothing, w->in_c);
    }
  }
}

static void pack_pixel(const tiles *t, int32_t p, const int8_t *input, int32_t pixel) {
  const spk_window2d *const w = t->job->w;
  const int32_t line = pixel / w->out_w, b = line / w->out_h;
  const int32_t x = (pixel - line * w->out_w) * w->stride_w - w->pad_left;
  int32_t y = (line - b * w->out_h) * w->stride_h - w->pad_top;
  const int8_t *const image = input + (ptrdiff_t)b * w->in_h * w->in_w * w->in_c;
  for (int32_t ky = 0; ky < w->kernel_h; ++ky, y += w->dilation_h) {
    const int inside = (uint32_t)y < (uint32_t)w->in_h;
    const int8_t *const row = inside ? image + (ptrdiff_t)y * w->in_w * w->in_c : NULL;
    pack_row(t, p, ky * t->row_columns, row, x);
  }
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
  const int32_t pixels = w->batch * w->out_h * w->out_w, row_columns = w->kernel_w * w->in_c;
  int8_t *const nothing = (int8_t *)scratch + (size_t)w->out_c * sizeof(spk_mve_channel);
  tiles t = {.job = job,
             .channels = scratch,
             .nothing = nothing,
             .tile = nothing + padded(row_columns),
             .columns = w->kernel_h * row_columns,
             .row_columns = row_columns};
  prepare(&t);
  memset(nothing, -job->q->input_offset, (size_t)row_columns);
  const int32_t count = pixels < SPK_MVE_PIXELS ? pixels : SPK_MVE_PIXELS;
  // The pixels of a point lie in the input as those of a tile in bytes do.
  const int is_pointwise = w->kernel_h * w->kernel_w * w->stride_h * w->stride_w == 1 &&
                           w->out_h == w->in_h && w->out_w == w->in_w;
  for (int32_t at = 0; at < pixels; at += SPK_MVE_PIXELS) {
    const int32_t first = at + count <= pixels ? at : pixels - count;
    int8_t *const to = output + (ptrdiff_t)first * w->out_c;
    if (is_pointwise && job->block == 1) {
      multiply(&t, input + (ptrdiff_t)first * w->in_c, w->in_c, count, to);
      continue;
    }
    for (int32_t p = 0; p < count; ++p) pack_pixel(&t, p, input, first + p);
    multiply(&t, t.tile, t.columns, count, to);
  }
}
