// The driver of the HVX convolutions: tiles of 128 pixels through a kernel, and back to NHWC.
#include "spk/conv2d_hvx.h"

#include "spk/fours_s8.h"
#include "spk/kernels_s8.h"
#include "spk/planes_hvx.h"
#include "spk/transpose_hvx.h"

enum { CHUNK = 128 };  // rows that are turned into NHWC at once

// Parts of scratch, in bytes from its aligned start.
typedef struct parts {
  size_t planes, tile, sums, turn, work, end;
} parts;

static size_t rounded(size_t n, size_t to) { return (n + to - 1) / to * to; }

static parts parts_of(const spk_window2d *w) {
  const size_t fours =
      (size_t)spk_channel_fours(w->in_c) * (size_t)w->kernel_h * (size_t)w->kernel_w;
  parts p = {.planes = 0};
  p.tile = spk_hvx_planes_bytes(w);
  // One vector more: copies of a tile read to the vector behind what they need.
  p.sums = p.tile + (fours * 4 + 1) * SPK_HVX_BYTES;
  p.turn = p.sums + rounded((size_t)w->out_c, CHUNK) * SPK_HVX_BYTES;
  p.work = p.turn + (size_t)SPK_HVX_TURN_BYTES;
  p.end = p.work;
  return p;
}

size_t spk_conv2d_s8_fours__hvx_scratch(const spk_window2d *w, int32_t fours) {
  const size_t plain = spk_conv2d_s8_fours__c_scratch(w);
  const size_t vectors = parts_of(w).end + (size_t)(fours + 2) * 4 * sizeof(uint32_t);
  return (vectors > plain ? vectors : plain) + SPK_HVX_BYTES;
}

#if defined(__HVX__)

static uint8_t *aligned(void *scratch) {
  return (uint8_t *)rounded((uintptr_t)scratch, SPK_HVX_BYTES);
}

void *spk_hvx_work(const spk_window2d *w, void *scratch) {
  return aligned(scratch) + parts_of(w).work;
}

const HVX_Vector *spk_hvx_tile(const spk_window2d *w, void *scratch) {
  return (const HVX_Vector *)(aligned(scratch) + parts_of(w).tile);
}

// Sums of 32 pixels, times multiplier / 2^31, prepared for a rounding shift.
static HVX_Vector high_mul(HVX_Vector sum, HVX_Vector multiplier) {
  const HVX_Vector low = Q6_Vw_vmpye_VwVuh(sum, multiplier);
  const HVX_Vector x = Q6_Vw_vmpyoacc_VwVwVh_s1_rnd_sat_shift(low, sum, multiplier);
  return Q6_Vw_vadd_VwVw(x, Q6_Vw_vasr_VwR(x, 31));  // ties away from zero
}

// The narrowing shift takes four bits, so the rest comes before. Pixels of vectors 0 and 2
// alternate, and those of 1 and 3, until vdeal sorts them.
HVX_Vector spk_hvx_scaled(const spk_hvx_sums *s, int32_t multiplier, int32_t right,
                          const spk_hvx_range *range) {
  const HVX_Vector m = Q6_V_vsplat_R(multiplier), *const in = &s->s0;
  const int32_t before = right > 15 ? right - 15 : 0;
  HVX_Vector v[4];
  for (int i = 0; i < 4; ++i) v[i] = Q6_Vw_vasr_VwR(high_mul(in[i], m), before);
  const HVX_Vector even = Q6_Vh_vasr_VwVwR_rnd_sat(v[2], v[0], right - before);
  const HVX_Vector odd = Q6_Vh_vasr_VwVwR_rnd_sat(v[3], v[1], right - before);
  const HVX_Vector bytes = Q6_Vb_vpack_VhVh_sat(Q6_Vh_vadd_VhVh_sat(odd, range->offset),
                                                Q6_Vh_vadd_VhVh_sat(even, range->offset));
  return Q6_Vb_vmin_VbVb(Q6_Vb_vmax_VbVb(Q6_Vb_vdeal_Vb(bytes), range->low), range->high);
}

int spk_hvx_can_scale(const spk_window2d *w, const spk_requant *q, const int32_t *bias) {
  const int32_t columns = 4 * spk_channel_fours(w->in_c) * w->kernel_h * w->kernel_w;
  for (int32_t c = 0; c < w->out_c; ++c) {
    if (q->shift[c] >= 0 || !spk_sum_is_small(bias[c], columns)) return 0;
  }
  return 1;
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
  const int32_t limit = at->x < p->out_w ? p->out_w : p->pitch;
  run r = {limit - at->x, at->y * p->out_w + at->x};
  if (at->x >= p->out_w || at->y >= p->out_h) r.pixel = -1;
  if (r.count > most) r.count = most;
  at->x += r.count;
  if (at->x == p->pitch) {
    at->x = 0;
    ++at->y;
  }
  return r;
}

// Turns (rows, 128 pixels) into NHWC, 128 rows at a time; `image` is the output's, `begin` the
// tile's first place. Returns the place behind the tile.
static place store_tile(const spk_hvx_planes *p, place begin, HVX_Vector *sums, int32_t rows,
                        HVX_Vector *turn, int8_t *image) {
  place end = begin;
  for (int32_t first = 0; first < rows; first += CHUNK) {
    const int32_t count = rows - first < CHUNK ? rows - first : CHUNK;
    int32_t bits = 0;
    while (1 << bits < count) ++bits;
    const int8_t *pixels =
        (const int8_t *)spk_hvx_turn_bytes(sums + first, turn, 1 << bits, bits);
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

void spk_hvx_conv2d(const spk_window2d *w, const spk_requant *q, const int8_t *input,
                    const uint32_t *weights, const int32_t *bias, int8_t *output, void *scratch,
                    int planar, spk_hvx_multiply multiply) {
  const parts at = parts_of(w);
  uint8_t *const base = aligned(scratch);
  HVX_Vector *const tile = (HVX_Vector *)(base + at.tile);
  HVX_Vector *const turn = (HVX_Vector *)(base + at.turn);
  const int32_t fours = spk_channel_fours(w->in_c) * w->kernel_h * w->kernel_w;
  const spk_hvx_rows job = {q,        weights,        bias,
                            tile,     base + at.work, (HVX_Vector *)(base + at.sums),
                            w->out_c, 4 * fours};
  const spk_hvx_planes p = spk_hvx_planes_of(w, q->input_offset, input, base);
  for (int32_t b = 0; b < p.batch; ++b) {
    spk_hvx_fill_planes(&p, b, turn);
    place done = {0, 0};
    for (int32_t position = 0; position < p.positions; position += SPK_HVX_PIXELS) {
      spk_hvx_fill_tile(&p, position, planar, tile, turn);
      multiply(&job);
      done = store_tile(&p, done, job.sums, w->out_c, turn, output);
    }
    output += (ptrdiff_t)p.out_h * p.out_w * w->out_c;
  }
}

#endif  // __HVX__
