// Packing of pixels, NHWC, into the planes of HVX convolutions (see spk/planes_hvx.h).
#include <string.h>

#include "spk/planes_hvx.h"
#include "spk/transpose_hvx.h"

#if defined(__HVX__)

enum { WORD = 4, AT_ONCE = 32 };  // pixels that are packed at once

// Pixels are signed, the planes are not.
SPK_INLINE HVX_Vector other_sign(HVX_Vector v) {
  return Q6_V_vxor_VV(v, Q6_V_vsplat_R((int32_t)0x80808080));
}

// 128 bytes of a pixel; at the input's end no byte behind it is read.
static HVX_Vector load_pixel(const spk_hvx_planes *p, const int8_t *pixel) {
  const ptrdiff_t left = p->input_end - pixel;
  if (left >= SPK_HVX_BYTES) return other_sign(spk_hvx_load(pixel));
  HVX_Vector v = Q6_V_vzero();
  memcpy(&v, pixel, (size_t)left);
  return other_sign(v);
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
    const int32_t count = pad < most ? pad : most;
    for (int32_t i = 0; i < count; ++i) to[i] = p->padding;
    r->column += count;
    return count;
  }
  const int32_t count = inside < most ? inside : most;
  const ptrdiff_t step = (ptrdiff_t)p->w->stride_w * p->w->in_c;
  for (int32_t i = 0; i < count; ++i, r->pixel += step) to[i] = load_pixel(p, r->pixel);
  r->column += count;
  return count;
}

static void strided_plane(const spk_hvx_planes *p, const int8_t *image, int32_t phase_h,
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
    spk_hvx_turn_words(turn, turn + AT_ONCE, AT_ONCE, groups_at(p, first), to, step);
  }
}

void spk_hvx_pack_strided(const spk_hvx_planes *p, const int8_t *image, HVX_Vector *turn) {
  uint8_t *to = p->words;
  for (int32_t first = 0; first < p->groups; first += AT_ONCE) {
    for (int32_t i = 0; i < p->phases_h * p->phases_w; ++i) {
      const int32_t phase_h = i / p->phases_w, phase_w = i % p->phases_w;
      strided_plane(p, image, phase_h, phase_w, first, turn, to + i * p->plane);
    }
    to += (ptrdiff_t)AT_ONCE * p->phases_h * p->phases_w * p->plane;
  }
}

// The words of 32 pixels from `pixel` on, group by group; behind `left` pixels is padding.
static void put_words(const spk_hvx_planes *p, const int8_t *pixel, int32_t left,
                      int32_t groups, HVX_Vector *turn, uint8_t *to, int32_t step) {
  const HVX_Vector sign = other_sign(Q6_V_vzero());
  const ptrdiff_t in_c = p->w->in_c;
  int32_t vectors = AT_ONCE;
  if (left < AT_ONCE || p->input_end - pixel < (AT_ONCE - 1) * in_c + SPK_HVX_BYTES) {
    for (int32_t i = 0; i < AT_ONCE; ++i, pixel += in_c) {
      turn[i] = i < left ? load_pixel(p, pixel) : p->padding;
    }
  } else if (2 * groups <= AT_ONCE) {
    spk_hvx_load_halves(pixel, p->w->in_c, sign, turn);
    vectors /= 2;
  } else {
    spk_hvx_load_pixels(pixel, p->w->in_c, sign, turn);
  }
  spk_hvx_turn_words(turn, turn + AT_ONCE, vectors, groups, to, step);
}

// Turns as many pixels as fill a vector of a plane, if they all are in the input and regular.
static int turn_regular(const spk_hvx_planes *p, const int8_t *pixel, int32_t left,
                        HVX_Vector *first, HVX_Vector *second, uint8_t *to, int32_t step) {
  const int32_t grain = p->planar ? 1 : WORD;
  if (left < (p->planar ? SPK_HVX_PIXELS : AT_ONCE) || !spk_hvx_are_regular(pixel, p->w->in_c))
    return 0;
  spk_hvx_turn_pixels(pixel, p->w->in_c, other_sign(Q6_V_vzero()), grain, first, second, to,
                      step);
  return 1;
}

// The planes of `groups` groups: of words, or the four planes of bytes of every group.
static void flat_planes(const spk_hvx_planes *p, const int8_t *pixel, int32_t groups,
                        HVX_Vector *work, HVX_Vector *turn, uint8_t *to) {
  const ptrdiff_t in_c = p->w->in_c;
  const int32_t pixels = p->w->in_h * p->w->in_w, all = 4 * AT_ONCE;
  if (!p->planar) {
    for (int32_t at = 0; at < pixels; at += AT_ONCE, to += SPK_HVX_BYTES) {
      const int8_t *const from = pixel + at * in_c;
      if (turn_regular(p, from, pixels - at, turn, turn + AT_ONCE, to, p->plane)) continue;
      put_words(p, from, pixels - at, groups, turn, to, p->plane);
    }
    return;
  }
  for (int32_t at = 0; at < pixels; at += all, to += SPK_HVX_BYTES) {
    const int8_t *const begin = pixel + at * in_c;
    if (turn_regular(p, begin, pixels - at, work, turn, to, p->plane)) continue;
    for (int32_t i = 0; i < 4; ++i) {
      const int32_t from = at + i * AT_ONCE;
      put_words(p, pixel + from * in_c, pixels - from, groups, turn, (uint8_t *)(work + i),
                4 * SPK_HVX_BYTES);
    }
    for (int32_t g = 0; g < groups; ++g) {
      spk_hvx_put_planar(work + 4 * g, to + (ptrdiff_t)4 * g * p->plane, p->plane);
    }
  }
}

void spk_hvx_pack_flat(const spk_hvx_planes *p, const int8_t *image, HVX_Vector *work,
                       HVX_Vector *turn) {
  const int32_t size = p->planar ? 1 : WORD, step = p->planar ? 4 * p->plane : p->plane;
  for (int32_t first = 0; first < p->groups; first += AT_ONCE) {
    uint8_t *const to = p->words + (ptrdiff_t)first * step + (ptrdiff_t)p->front * size;
    flat_planes(p, image + WORD * first, groups_at(p, first), work, turn, to);
  }
}

void spk_hvx_pack_tile(const spk_hvx_planes *p, int32_t position, HVX_Vector *tile,
                       HVX_Vector *turn) {
  const int32_t in_c = p->w->in_c, step = 4 * SPK_HVX_BYTES;
  for (int32_t first = 0; first < p->groups; first += AT_ONCE) {
    HVX_Vector *const to = tile + 4 * first;
    const int8_t *pixel = p->input + (ptrdiff_t)position * in_c + WORD * first;
    int32_t left = p->positions - position;
    if (p->planar && turn_regular(p, pixel, left, to, turn, (uint8_t *)to, SPK_HVX_BYTES)) {
      continue;
    }
    for (int32_t i = 0; i < 4; ++i, pixel += AT_ONCE * in_c, left -= AT_ONCE) {
      uint8_t *const place = (uint8_t *)(to + i);
      if (!p->planar && turn_regular(p, pixel, left, turn, turn + AT_ONCE, place, step)) {
        continue;
      }
      put_words(p, pixel, left, groups_at(p, first), turn, place, step);
    }
    if (p->planar) {
      for (int32_t g = 0; g < groups_at(p, first); ++g) {
        spk_hvx_put_planar(to + 4 * g, (uint8_t *)(to + 4 * g), SPK_HVX_BYTES);
      }
    }
  }
}

#endif  // __HVX__
