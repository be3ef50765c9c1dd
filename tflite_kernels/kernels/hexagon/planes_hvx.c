// Planes and tiles of the HVX convolutions (see spk/planes_hvx.h and spk/conv2d_hvx.h).
#include "spk/planes_hvx.h"

#include <string.h>

#include "spk/fours_s8.h"
#include "spk/transpose_hvx.h"

enum { WORD = 4, AT_ONCE = 32 };  // pixels that are packed at once

static int is_direct(const spk_window2d *w) {
  return w->kernel_h == 1 && w->kernel_w == 1 && w->stride_h == 1 && w->stride_w == 1 &&
         w->pad_top == 0 && w->pad_left == 0 && w->out_h == w->in_h && w->out_w == w->in_w;
}

// How many phases of a stride the taps touch.
static int32_t phases(int32_t kernel, int32_t stride, int32_t dilation) {
  return dilation == 1 && kernel < stride ? kernel : stride;
}

// Rows or columns of a plane: those of the output, and what the taps reach beyond.
static int32_t extent(int32_t out, int32_t kernel, int32_t stride, int32_t dilation) {
  return out + (kernel - 1) * dilation / stride;
}

static int32_t plane_bytes(const spk_window2d *w) {
  const int32_t words = extent(w->out_h, w->kernel_h, w->stride_h, w->dilation_h) *
                        extent(w->out_w, w->kernel_w, w->stride_w, w->dilation_w);
  return (words + AT_ONCE - 1) / AT_ONCE * SPK_HVX_BYTES;
}

size_t spk_hvx_planes_bytes(const spk_window2d *w) {
  if (is_direct(w)) return 0;
  const size_t count = (size_t)spk_channel_fours(w->in_c) *
                       (size_t)phases(w->kernel_h, w->stride_h, w->dilation_h) *
                       (size_t)phases(w->kernel_w, w->stride_w, w->dilation_w);
  // Tiles that begin in a plane read up to a tile and a vector behind it.
  return count * (size_t)plane_bytes(w) + SPK_HVX_PIXELS * WORD + SPK_HVX_BYTES;
}

#if defined(__HVX__)

spk_hvx_planes spk_hvx_planes_of(const spk_window2d *w, int32_t input_offset,
                                 const int8_t *input, uint8_t *words) {
  spk_hvx_planes p = {.w = w, .input = input, .words = words, .direct = is_direct(w)};
  p.input_end = input + (ptrdiff_t)w->batch * w->in_h * w->in_w * w->in_c;
  p.padding = (uint8_t)(128 - input_offset);
  p.groups = spk_channel_fours(w->in_c);
  if (p.direct) {  // all pixels in one row
    p.batch = p.out_h = 1;
    p.out_w = p.pitch = p.positions = w->batch * w->in_h * w->in_w;
    return p;
  }
  p.phases_h = phases(w->kernel_h, w->stride_h, w->dilation_h);
  p.phases_w = phases(w->kernel_w, w->stride_w, w->dilation_w);
  p.rows = extent(w->out_h, w->kernel_h, w->stride_h, w->dilation_h);
  p.pitch = extent(w->out_w, w->kernel_w, w->stride_w, w->dilation_w);
  p.plane = plane_bytes(w);
  p.batch = w->batch;
  p.out_h = w->out_h;
  p.out_w = w->out_w;
  p.positions = (w->out_h - 1) * p.pitch + w->out_w;
  return p;
}

// 128 bytes of a pixel; at the input's end no byte behind it is read.
static HVX_Vector load_pixel(const spk_hvx_planes *p, const int8_t *pixel) {
  const ptrdiff_t left = p->input_end - pixel;
  if (left >= SPK_HVX_BYTES) return spk_hvx_load(pixel);
  HVX_Vector v = Q6_V_vzero();
  memcpy(&v, pixel, (size_t)left);
  return v;
}

static int32_t power_of_two(int32_t n) {
  int32_t power = 1;
  while (power < n) power *= 2;
  return power;
}

// Turns 32 pixels of up to 128 channels, in `turn`, into words of four unsigned bytes: group g
// goes to `to` + g * step.
static void put_words(HVX_Vector *turn, int32_t groups, uint8_t *to, int32_t step) {
  const HVX_Vector sign = Q6_V_vsplat_R((int32_t)0x80808080);
  const HVX_Vector *words = spk_hvx_turn_words(turn, turn + AT_ONCE, power_of_two(groups));
  for (int32_t g = 0; g < groups; ++g, to += step) {
    *(HVX_Vector *)to = Q6_V_vxor_VV(*words++, sign);
  }
}

// What of the groups from `first` on fits into a vector.
static int32_t groups_at(const spk_hvx_planes *p, int32_t first) {
  return p->groups - first < AT_ONCE ? p->groups - first : AT_ONCE;
}

// A row of a plane: padding, pixels, padding.
typedef struct row {
  const int8_t *pixel;
  int32_t left, inside, column;  // column: of the next position
} row;

// How many steps reach a distance; the processor has no division.
static int32_t steps(int32_t distance, int32_t step) {
  return step == 1 ? distance : (distance + step - 1) / step;
}

static row row_of(const spk_hvx_planes *p, const int8_t *image, int32_t y, int32_t phase_w) {
  const spk_window2d *w = p->w;
  const int32_t x = phase_w - w->pad_left, s = w->stride_w;
  row r = {image, p->pitch, 0, 0};
  if (y < 0 || y >= w->in_h) return r;
  const int32_t first = x < 0 ? steps(-x, s) : 0;  // the first inside
  const int32_t end = w->in_w > x ? steps(w->in_w - x, s) : 0;
  r.left = first < p->pitch ? first : p->pitch;
  r.inside = (end < p->pitch ? end : p->pitch) - r.left;
  if (r.inside < 0) r.inside = 0;
  r.pixel = image + ((ptrdiff_t)y * w->in_w + x + (ptrdiff_t)r.left * s) * w->in_c;
  return r;
}

// The next positions of the row, at most `most`; returns how many.
static int32_t take(const spk_hvx_planes *p, row *r, int32_t most, HVX_Vector *to) {
  const int32_t pad = r->column < r->left ? r->left - r->column : p->pitch - r->column;
  const int32_t inside = r->left + r->inside - r->column;
  if (r->column < r->left || inside <= 0) {
    const HVX_Vector padding = Q6_V_vsplat_R((p->padding ^ 0x80) * 0x01010101);
    const int32_t count = pad < most ? pad : most;
    for (int32_t i = 0; i < count; ++i) to[i] = padding;
    r->column += count;
    return count;
  }
  const int32_t count = inside < most ? inside : most;
  const ptrdiff_t step = (ptrdiff_t)p->w->stride_w * p->w->in_c;
  if (p->input_end - r->pixel >= (count - 1) * step + SPK_HVX_BYTES) {
    for (int32_t i = 0; i < count; ++i, r->pixel += step) to[i] = spk_hvx_load(r->pixel);
  } else {
    for (int32_t i = 0; i < count; ++i, r->pixel += step) to[i] = load_pixel(p, r->pixel);
  }
  r->column += count;
  return count;
}

static void fill_plane(const spk_hvx_planes *p, const int8_t *image, int32_t phase_h,
                       int32_t phase_w, int32_t first, HVX_Vector *turn, uint8_t *to) {
  const int32_t step = p->phases_h * p->phases_w * p->plane;
  int32_t y = phase_h - p->w->pad_top;
  row r = row_of(p, image + WORD * first, y, phase_w);
  for (int32_t done = 0; done < p->plane; done += SPK_HVX_BYTES, to += SPK_HVX_BYTES) {
    for (int32_t i = 0; i < AT_ONCE;) {
      if (r.column == p->pitch) {
        y += p->w->stride_h;
        r = row_of(p, image + WORD * first, y, phase_w);
      }
      i += take(p, &r, AT_ONCE - i, turn + i);
    }
    put_words(turn, groups_at(p, first), to, step);
  }
}

void spk_hvx_fill_planes(const spk_hvx_planes *p, int32_t batch, HVX_Vector *turn) {
  if (p->direct) return;
  const spk_window2d *w = p->w;
  const int8_t *image = p->input + (ptrdiff_t)batch * w->in_h * w->in_w * w->in_c;
  uint8_t *to = p->words;
  for (int32_t first = 0; first < p->groups; first += AT_ONCE) {
    for (int32_t i = 0; i < p->phases_h * p->phases_w; ++i) {
      const int32_t phase_h = i / p->phases_w, phase_w = i % p->phases_w;
      fill_plane(p, image, phase_h, phase_w, first, turn, to + i * p->plane);
    }
    to += (ptrdiff_t)AT_ONCE * p->phases_h * p->phases_w * p->plane;
  }
}

// Four vectors of 32 pixels, four columns each, become one vector a column.
SPK_INLINE void put_planar(HVX_Vector a, HVX_Vector b, HVX_Vector c, HVX_Vector d,
                           HVX_Vector *to) {
  const HVX_VectorPair ab = Q6_Wb_vshuffoe_VbVb(b, a), cd = Q6_Wb_vshuffoe_VbVb(d, c);
  const HVX_VectorPair even = Q6_Wh_vshuffoe_VhVh(Q6_V_lo_W(cd), Q6_V_lo_W(ab));
  const HVX_VectorPair odd = Q6_Wh_vshuffoe_VhVh(Q6_V_hi_W(cd), Q6_V_hi_W(ab));
  to[0] = Q6_V_lo_W(even);
  to[1] = Q6_V_lo_W(odd);
  to[2] = Q6_V_hi_W(even);
  to[3] = Q6_V_hi_W(odd);
}

// One tap: the same place in the planes of all groups, `groups` of them, at least one.
static void copy_tap(const uint8_t *from, int32_t step, int32_t groups, HVX_Vector *to) {
  register uintptr_t by __asm__("r3") = (uintptr_t)from % SPK_HVX_BYTES;  // one of r0 to r7
  const uint8_t *line = from - by;
  HVX_Vector v0, v1, v2, v3, v4;
  __asm__ volatile(
      "loop0(1f, %[groups])\n\t"
      ".p2align 4\n"
      "1:\n\t"
      "{ %[v0] = vmem(%[line] + #0) }\n\t"
      "{ %[v1] = vmem(%[line] + #1) }\n\t"
      "{ %[v0] = valign(%[v1], %[v0], %[by])\n\t"
      "  %[v2] = vmem(%[line] + #2) }\n\t"
      "{ %[v1] = valign(%[v2], %[v1], %[by])\n\t"
      "  %[v3] = vmem(%[line] + #3)\n\t"
      "  vmem(%[to] + #0) = %[v0] }\n\t"
      "{ %[v2] = valign(%[v3], %[v2], %[by])\n\t"
      "  %[v4] = vmem(%[line] + #4)\n\t"
      "  vmem(%[to] + #1) = %[v1] }\n\t"
      "{ %[v3] = valign(%[v4], %[v3], %[by])\n\t"
      "  vmem(%[to] + #2) = %[v2]\n\t"
      "  %[line] = add(%[line], %[step]) }\n\t"
      "{ vmem(%[to] + #3) = %[v3]\n\t"
      "  %[to] = add(%[to], #512) } :endloop0\n"
      : [v0] "=&v"(v0), [v1] "=&v"(v1), [v2] "=&v"(v2), [v3] "=&v"(v3), [v4] "=&v"(v4),
        [line] "+r"(line), [to] "+r"(to)
      : [by] "r"(by), [step] "r"(step), [groups] "r"(groups)
      : "lc0", "sa0", "memory");
}

// The same, planar.
static void copy_tap_planar(const uint8_t *from, int32_t step, int32_t groups, HVX_Vector *to) {
  const int32_t by = (int32_t)(uintptr_t)from;
  const HVX_Vector *line = (const HVX_Vector *)((uintptr_t)from & -(uintptr_t)SPK_HVX_BYTES);
  for (; groups > 0; --groups, to += 4) {
    const HVX_Vector v0 = line[0], v1 = line[1], v2 = line[2], v3 = line[3], v4 = line[4];
    put_planar(Q6_V_valign_VVR(v1, v0, by), Q6_V_valign_VVR(v2, v1, by),
               Q6_V_valign_VVR(v3, v2, by), Q6_V_valign_VVR(v4, v3, by), to);
    line += step / SPK_HVX_BYTES;
  }
}

static void copy_taps(const spk_hvx_planes *p, int32_t position, int planar, HVX_Vector *to) {
  const spk_window2d *w = p->w;
  const int32_t step = p->phases_h * p->phases_w * p->plane;
  for (int32_t ky = 0; ky < w->kernel_h; ++ky) {
    const int32_t y = ky * w->dilation_h / w->stride_h;
    const int32_t phase_h = ky * w->dilation_h % w->stride_h;
    for (int32_t kx = 0; kx < w->kernel_w; ++kx, to += 4 * p->groups) {
      const int32_t x = kx * w->dilation_w / w->stride_w;
      const int32_t phase = phase_h * p->phases_w + kx * w->dilation_w % w->stride_w;
      const uint8_t *from = p->words + (ptrdiff_t)phase * p->plane +
                            WORD * (ptrdiff_t)(position + y * p->pitch + x);
      if (planar) {
        copy_tap_planar(from, step, p->groups, to);
      } else {
        copy_tap(from, step, p->groups, to);
      }
    }
  }
}

// 128 pixels that follow each other; behind the last, it is packed again.
static void pack_pixels(const spk_hvx_planes *p, int32_t position, HVX_Vector *tile,
                        HVX_Vector *turn) {
  const int32_t in_c = p->w->in_c;
  for (int32_t first = 0; first < p->groups; first += AT_ONCE) {
    uint8_t *to = (uint8_t *)(tile + 4 * first);
    for (int32_t done = 0; done < SPK_HVX_PIXELS; done += AT_ONCE, to += SPK_HVX_BYTES) {
      const int32_t at = position + done, last = p->positions - 1;
      const int8_t *pixel = p->input + (ptrdiff_t)at * in_c + WORD * first;
      if (p->input_end - pixel >= AT_ONCE * (ptrdiff_t)in_c + SPK_HVX_BYTES) {
        for (int32_t i = 0; i < AT_ONCE; ++i, pixel += in_c) turn[i] = spk_hvx_load(pixel);
      } else {
        for (int32_t i = 0; i < AT_ONCE; ++i) {
          const int32_t which = at + i < last ? at + i : last;
          turn[i] = load_pixel(p, p->input + (ptrdiff_t)which * in_c + WORD * first);
        }
      }
      put_words(turn, groups_at(p, first), to, 4 * SPK_HVX_BYTES);
    }
  }
}

void spk_hvx_fill_tile(const spk_hvx_planes *p, int32_t position, int planar, HVX_Vector *tile,
                       HVX_Vector *turn) {
  if (!p->direct) {
    copy_taps(p, position, planar, tile);
    return;
  }
  pack_pixels(p, position, tile, turn);
  if (!planar) return;
  for (int32_t g = 0; g < p->groups; ++g, tile += 4) {
    put_planar(tile[0], tile[1], tile[2], tile[3], tile);
  }
}

#endif  // __HVX__
