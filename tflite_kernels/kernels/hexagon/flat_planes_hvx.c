// Flat planes of the HVX convolutions: padding, masks, copies, tiles (see spk/planes_hvx.h).
#include "spk/copy_hvx.h"
#include "spk/planes_hvx.h"

#if defined(__HVX__)

enum { WORD = 4 };

static void fill(uint8_t *to, int32_t bytes, HVX_Vector value) {
  for (int32_t i = 0; i < bytes; i += SPK_HVX_BYTES) *(HVX_Vector *)(to + i) = value;
}

// The same in `count` planes, `step` bytes apart.
static void fill_planes(uint8_t *to, int32_t bytes, int32_t count, int32_t step,
                        HVX_Vector value) {
  for (int32_t i = 0; i < bytes; i += SPK_HVX_BYTES) {
    uint8_t *place = to + i;
    for (int32_t plane = 0; plane < count; ++plane, place += step) *(HVX_Vector *)place = value;
  }
}

// The rows of padding before and behind the pixels of flat planes.
static void pad(const spk_hvx_planes *p) {
  const int32_t size = p->planar ? 1 : WORD, count = p->groups * (p->planar ? WORD : 1);
  const int32_t front = p->front * size;
  const int32_t behind = front + (p->w->in_h * p->w->in_w * size + SPK_HVX_BYTES - 1) /
                                     SPK_HVX_BYTES * SPK_HVX_BYTES;
  fill_planes(p->words, front, count, p->plane, p->padding);
  fill_planes(p->words + behind, p->plane - behind, count, p->plane, p->padding);
}

// Column kx of the kernel, counted from the output pixel's.
static int32_t shift_of(const spk_hvx_planes *p, int32_t kx) {
  return kx * p->w->dilation_w - p->w->pad_left;
}

static const HVX_Vector *mask_of(const spk_hvx_planes *p, int32_t kx, int32_t position) {
  return (const HVX_Vector *)((const uint8_t *)p->masks + (ptrdiff_t)kx * p->plane +
                              (p->planar ? position : WORD * position));
}

// Columns from `begin` to `end` of the first rows of flat planes become 0.
static void clear_columns(const spk_hvx_planes *p, uint8_t *row, int32_t positions,
                          int32_t begin, int32_t end) {
  const int32_t size = p->planar ? 1 : WORD;
  for (int32_t at = 0; at < positions; at += p->pitch, row += p->pitch * size) {
    for (int32_t x = begin; x < end && at + x < positions; ++x) {
      if (p->planar) {
        row[x] = 0;
      } else {
        ((int32_t *)row)[x] = 0;
      }
    }
  }
}

// Which columns of the output find a pixel at column kx of the kernel, in all rows. Rows that
// are whole vectors together repeat.
static void fill_masks(const spk_hvx_planes *p) {
  const int32_t pitch = p->pitch, size = p->planar ? 1 : WORD;
  int32_t period = pitch;
  while (period < p->span && period * size % SPK_HVX_BYTES != 0) period *= 2;
  if (period > p->span) period = p->span;
  for (int32_t kx = 0; kx < p->w->kernel_w; ++kx) {
    uint8_t *const mask = (uint8_t *)mask_of(p, kx, 0);
    const int32_t shift = shift_of(p, kx);
    fill(mask, period * size, Q6_V_vsplat_R(-1));
    if (shift < 0) clear_columns(p, mask, period, 0, -shift < pitch ? -shift : pitch);
    if (shift > 0) clear_columns(p, mask, period, shift < pitch ? pitch - shift : 0, pitch);
    for (int32_t at = period * size; at < p->plane; at += SPK_HVX_BYTES) {
      *(HVX_Vector *)(mask + at) = *(const HVX_Vector *)(mask + at - period * size);
    }
  }
}

uint8_t *spk_hvx_copy_of(const spk_hvx_planes *p, int32_t kx) {
  if (shift_of(p, kx) == 0) return p->words;
  return (uint8_t *)p->masks + (ptrdiff_t)p->plane * (p->w->kernel_w + kx * (p->groups + 1));
}

static void copy_for(const spk_hvx_planes *p, int32_t kx) {
  const int32_t begin = p->front - p->w->pad_top * p->pitch;  // of what rows of output read
  uint8_t *const to = spk_hvx_copy_of(p, kx);
  const uint8_t *const from = p->words + (ptrdiff_t)WORD * shift_of(p, kx);
  for (int32_t at = begin; at + SPK_HVX_PIXELS <= p->span; at += SPK_HVX_PIXELS) {
    spk_hvx_copy_words(from + WORD * at, p->plane, p->groups, mask_of(p, kx, at - begin),
                       p->padding, to + WORD * at, p->plane);
  }
}

void spk_hvx_copy_planes(const spk_hvx_planes *p) {
  for (int32_t kx = 0; kx < p->w->kernel_w; ++kx) {
    if (shift_of(p, kx) != 0) copy_for(p, kx);
  }
}

void spk_hvx_fill_padding(const spk_hvx_planes *p) {
  pad(p);
  fill_masks(p);
}

int32_t spk_hvx_flat_place(const spk_hvx_planes *p, int32_t ky, int32_t shift) {
  return p->front + (ky * p->w->dilation_h - p->w->pad_top) * p->pitch + shift;
}

// A row of the kernel, planes of bytes: up to three of its columns from the same vectors.
static void planar_taps(const spk_hvx_planes *p, int32_t position, int32_t ky, uint8_t *to) {
  const int32_t columns = p->groups * WORD, width = p->w->kernel_w, apart = p->w->dilation_w;
  const int32_t together = width > 1 && 2 * apart <= SPK_HVX_BYTES ? 3 : 1;
  const int32_t last = width > together ? width - together : 0;  // place of three columns
  for (int32_t done = 0; done < width; done += together) {
    const int32_t kx = done < last ? done : last;
    const int32_t place = position + spk_hvx_flat_place(p, ky, shift_of(p, kx));
    uint8_t *const first = to + kx * columns * SPK_HVX_BYTES;
    if (together == 1) {
      spk_hvx_copy_bytes(p->words + place, p->plane, columns, mask_of(p, kx, position),
                         p->padding, first);
      continue;
    }
    int32_t at[3];
    const HVX_Vector *mask[3];
    uint8_t *where[3];
    for (int32_t i = 0; i < 3; ++i) {
      const int32_t next = kx + i < width ? i : width - 1 - kx;
      at[i] = next * apart;
      mask[i] = mask_of(p, kx + next, position);
      where[i] = first + next * columns * SPK_HVX_BYTES;
    }
    spk_hvx_copy_thrice(p->words + place, at, p->plane, columns, mask, p->padding, where);
  }
}

static void word_taps(const spk_hvx_planes *p, int32_t position, int32_t ky, uint8_t *to) {
  for (int32_t kx = 0; kx < p->w->kernel_w; ++kx, to += p->groups * 4 * SPK_HVX_BYTES) {
    const int32_t place = position + spk_hvx_flat_place(p, ky, shift_of(p, kx));
    spk_hvx_copy_words(p->words + (ptrdiff_t)WORD * place, p->plane, p->groups,
                       mask_of(p, kx, position), p->padding, to, 4 * SPK_HVX_BYTES);
  }
}

void spk_hvx_flat_tile(const spk_hvx_planes *p, int32_t position, uint8_t *to) {
  const int32_t row = p->w->kernel_w * p->groups * 4 * SPK_HVX_BYTES;
  for (int32_t ky = 0; ky < p->w->kernel_h; ++ky, to += row) {
    if (p->planar) {
      planar_taps(p, position, ky, to);
    } else {
      word_taps(p, position, ky, to);
    }
  }
}

#endif  // __HVX__
