// The driver of the HVX convolutions: tiles of 128 pixels through a kernel, and back to NHWC.
#include "spk/conv2d_hvx.h"

#include "spk/fours_s8.h"
#include "spk/kernels_s8.h"
#include "spk/planes_hvx.h"
#include "spk/rows_hvx.h"
#include "spk/transpose_hvx.h"

enum { CHUNK = 128 };  // rows that are turned into NHWC at once

// Parts of scratch, in bytes from its aligned start.
typedef struct parts {
  size_t planes, tile, sums, turn, offsets, records, work, end;
} parts;

// `to` is a power of two: the processor has no division.
static size_t rounded(size_t n, size_t to) { return (n + to - 1) & ~(to - 1); }

static parts parts_of(const spk_window2d *w) {
  const size_t fours =
      (size_t)spk_channel_fours(w->in_c) * (size_t)w->kernel_h * (size_t)w->kernel_w;
  parts p = {.planes = 0};
  p.tile = spk_hvx_planes_bytes(w);
  // One vector more: copies of a tile read to the vector behind what they need, and one for
  // what a kernel stores before its sums.
  p.sums = p.tile + (fours * 4 + 2) * SPK_HVX_BYTES;
  p.turn = p.sums + rounded((size_t)w->out_c, CHUNK) * SPK_HVX_BYTES;
  p.offsets = p.turn + (size_t)SPK_HVX_TURN_BYTES;
  p.records = rounded(p.offsets + (fours + 2) * sizeof(int32_t), SPK_HVX_BYTES);
  p.work = p.records +
           rounded((rounded((size_t)w->out_c, 4) + 1) * sizeof(spk_hvx_record), SPK_HVX_BYTES);
  p.end = p.work;
  return p;
}

size_t spk_conv2d_s8_fours__hvx_scratch(const spk_window2d *w, int32_t indices) {
  const size_t plain = spk_conv2d_s8_fours__c_scratch(w);
  const size_t vectors = parts_of(w).end + (size_t)(indices + SPK_HVX_AHEAD) * sizeof(int32_t);
  return (vectors > plain ? vectors : plain) + SPK_HVX_BYTES;
}

#if defined(__HVX__)

int spk_hvx_can_scale(const spk_window2d *w, const spk_requant *q, const int32_t *bias) {
  const int32_t columns = 4 * spk_channel_fours(w->in_c) * w->kernel_h * w->kernel_w;
  int32_t left = 0, large = !spk_sum_is_small(0, columns);
  for (int32_t c = 0; c < w->out_c; ++c) {
    left |= ~q->shift[c];  // negative for a shift to the left, or none
    large |= !spk_sum_is_small(bias[c], 0);
  }
  return left >= 0 && !large;
}

// The output row and column of a position; columns from out_w on are no pixels.
typedef struct place {
  int32_t y, x;
} place;

// Where tile position `at` and those behind it go: `count` positions, from `pixel` on, or
// nowhere, -1.
typedef struct run {
  int32_t count, pixel;
} run;

static run next_run(const spk_hvx_planes *p, place *at, int32_t most) {
  const int32_t limit = at->x < p->out_w ? p->out_w : p->out_pitch;
  run r = {limit - at->x, at->y * p->out_w + at->x};
  if (at->x >= p->out_w || at->y >= p->out_h) r.pixel = -1;
  if (r.count > most) r.count = most;
  at->x += r.count;
  if (at->x == p->out_pitch) {
    at->x = 0;
    ++at->y;
  }
  return r;
}

// How many bits number `count` rows.
static int32_t bits_of(int32_t count) {
  int32_t bits = 0;
  while (1 << bits < count) ++bits;
  return bits;
}

// The same as store_tile for a tile that is wanted as a whole, where every vector of the output
// is aligned: nothing has to be copied.
static void store_straight(HVX_Vector *sums, int32_t rows, HVX_Vector *turn, int8_t *to) {
  for (int32_t first = 0; first < rows; first += CHUNK, to += CHUNK) {
    const int32_t count = rows < CHUNK ? rows : CHUNK;
    spk_hvx_turn_bytes(sums + first, turn, count, bits_of(count), to,
                       rows < CHUNK ? SPK_HVX_BYTES : rows);
  }
}

// Turns (rows, 128 pixels) into NHWC, 128 rows at a time; `image` is the output's, `begin` the
// tile's first place. Returns the place behind the tile.
static place store_tile(const spk_hvx_planes *p, place begin, HVX_Vector *sums, int32_t rows,
                        HVX_Vector *turn, int8_t *image) {
  place end = begin;
  int8_t *const straight = image + (ptrdiff_t)begin.x * rows;
  const int32_t whole = rows < CHUNK ? 1 << bits_of(rows) : rows / CHUNK * CHUNK;
  if (whole == rows && p->out_h == 1 && begin.x + SPK_HVX_PIXELS <= p->out_w &&
      (uintptr_t)straight % SPK_HVX_BYTES == 0) {
    store_straight(sums, rows, turn, straight);
    end.x += SPK_HVX_PIXELS;
    return end;
  }
  for (int32_t first = 0; first < rows; first += CHUNK) {
    const int32_t count = rows - first < CHUNK ? rows - first : CHUNK;
    const int32_t bits = bits_of(count);
    const int8_t *const pixels =
        (const int8_t *)spk_hvx_turn_rows(sums + first, turn, 1 << bits, bits);
    end = begin;
    for (int32_t left = SPK_HVX_PIXELS; left > 0;) {
      const int8_t *from = pixels + ((ptrdiff_t)(SPK_HVX_PIXELS - left) << bits);
      const run r = next_run(p, &end, left);
      left -= r.count;
      if (r.pixel < 0) continue;
      int8_t *to = image + (ptrdiff_t)r.pixel * rows + first;
      if (1 << bits == rows) {
        spk_hvx_copy(to, from, r.count * rows);
      } else {
        for (int32_t i = 0; i < r.count; ++i, from += 1 << bits, to += rows) {
          spk_hvx_copy(to, from, count);
        }
      }
    }
  }
  return end;
}

// The record of row r; rows behind the last are scaled to the output's offset.
SPK_INLINE spk_hvx_record record_of(const spk_requant *q, const int32_t *bias, int32_t rows,
                                    const spk_hvx_kernel *kernel, int32_t r, int inside) {
  const int32_t next = r + 1, later = r + kernel->at_once;
  const int32_t right = inside || r < rows ? -q->shift[r] : 1;
  const int32_t before = right > 15 ? right - 15 : 0;
  const spk_hvx_record record = {
      .multiplier = inside || next < rows ? q->multiplier[next] : 0,
      .bias = inside || later < rows ? bias[later] : 0,
      .shift = (right - before) | before << 8,
      .count = kernel->count != NULL && (inside || next < rows) ? kernel->count[next] : 1};
  return record;
}

// Returns whether a row is shifted by more than 15 bits.
static int32_t fill_records(const spk_requant *q, const int32_t *bias, int32_t rows,
                            const spk_hvx_kernel *kernel, spk_hvx_record *restrict records) {
  const spk_requant scale = *q;
  const spk_hvx_kernel of = *kernel;
  int32_t shifts = 0, r = 0;
  for (; r < rows - of.at_once; ++r) {
    records[r] = record_of(&scale, bias, rows, &of, r, 1);
    shifts |= records[r].shift;
  }
  for (; r < rows + of.at_once - 1; ++r) {
    records[r] = record_of(&scale, bias, rows, &of, r, 0);
    shifts |= records[r].shift;
  }
  return shifts >> 8;
}

void spk_hvx_conv2d(const spk_window2d *w, const spk_requant *q, const int8_t *input,
                    const uint32_t *weights, const int32_t *bias, int8_t *output, void *scratch,
                    const spk_hvx_kernel *kernel) {
  const parts at = parts_of(w);
  uint8_t *const base = (uint8_t *)rounded((uintptr_t)scratch, SPK_HVX_BYTES);
  HVX_Vector *const tile = (HVX_Vector *)(base + at.tile);
  HVX_Vector *const turn = (HVX_Vector *)(base + at.turn);
  int32_t *const offsets = (int32_t *)(base + at.offsets);
  spk_hvx_record *const records = (spk_hvx_record *)(base + at.records);
  const spk_hvx_code *const code = kernel->code;
  spk_hvx_rows job = {.weights = weights,
                      .bias = bias,
                      .base = (const uint8_t *)tile,
                      .offsets = offsets,
                      .work = base + at.work,
                      .sums = (HVX_Vector *)(base + at.sums),
                      .records = records,
                      .code = code,
                      .rows = w->out_c};
  job.columns = 4 * spk_channel_fours(w->in_c) * w->kernel_h * w->kernel_w;
  job.offset = (q->output_offset & 0xffff) * 0x10001;
  job.low = (int32_t)((uint32_t)(uint8_t)q->act_min * 0x01010101u);
  job.high = (int32_t)((uint32_t)(uint8_t)q->act_max * 0x01010101u);
  const spk_hvx_planes p = spk_hvx_planes_of(w, q->input_offset, input, base, kernel->planar);
  if (code != NULL) {
    job.records = (const spk_hvx_record *)(const void *)code->records;
    job.wide = code->wide;
  } else {
    job.first_multiplier = q->multiplier[0];
    job.wide = fill_records(q, bias, w->out_c, kernel, records);
    if (!kernel->planar) {
      const int32_t fours = job.columns / 4;
      spk_hvx_fill_offsets(w, offsets);
      offsets[fours] = offsets[0];
      offsets[fours + 1] = offsets[fours > 1];
    }
  }
  job.in_order = !p.copied;
  if (kernel->prepare != NULL) kernel->prepare(&job);
  for (int32_t b = 0; b < p.batch; ++b) {
    spk_hvx_fill_planes(&p, b, tile, turn);
    place done = {0, 0};
    for (int32_t position = 0; position < p.positions; position += SPK_HVX_PIXELS) {
      job.base = spk_hvx_fill_tile(&p, position, tile, turn);
      kernel->multiply(&job);
      done = store_tile(&p, done, job.sums, w->out_c, turn, output);
    }
    output += (ptrdiff_t)p.out_h * p.out_w * w->out_c;
  }
}

#endif  // __HVX__
