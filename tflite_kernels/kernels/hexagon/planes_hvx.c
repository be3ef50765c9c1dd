// Planes and tiles of the HVX convolutions (see spk/planes_hvx.h and spk/conv2d_hvx.h).
#include "spk/planes_hvx.h"

#include "spk/copy_hvx.h"
#include "spk/fours_s8.h"
#include "spk/transpose_hvx.h"

enum { WORD = 4, AT_ONCE = 32 };  // pixels in a vector of words

static int32_t kind_of(const spk_window2d *w) {
  if (w->kernel_h == 1 && w->kernel_w == 1 && w->stride_h == 1 && w->stride_w == 1 &&
      w->pad_top == 0 && w->pad_left == 0 && w->out_h == w->in_h && w->out_w == w->in_w) {
    return SPK_HVX_NO_PLANES;
  }
  const int flat = w->stride_h == 1 && w->stride_w == 1 && w->out_w <= w->in_w;
  return flat ? SPK_HVX_FLAT : SPK_HVX_STRIDED;
}

// How many phases of a stride the taps touch.
static int32_t phases(int32_t kernel, int32_t stride, int32_t dilation) {
  return dilation == 1 && kernel < stride ? kernel : stride;
}

// Rows or columns of a plane: those of the output, and what the taps reach beyond.
static int32_t extent(int32_t out, int32_t kernel, int32_t stride, int32_t dilation) {
  return out + (kernel - 1) * dilation / stride;
}

static int32_t most(int32_t a, int32_t b) { return a > b ? a : b; }

// `to` is a power of two: the processor has no division.
static int32_t rounded(int32_t n, int32_t to) { return (n + to - 1) & -to; }

static int32_t positions(const spk_window2d *w, int32_t pitch) {
  return (w->out_h - 1) * pitch + w->out_w;
}

static int32_t flat_front(const spk_window2d *w) {
  return rounded(w->pad_top * w->in_w + w->pad_left, SPK_HVX_PIXELS);
}

// Positions of a flat plane: all that are packed, and all that whole tiles read.
static int32_t flat_span(const spk_window2d *w) {
  const int32_t below = (w->kernel_h - 1) * w->dilation_h - w->pad_top;
  const int32_t right = (w->kernel_w - 1) * w->dilation_w - w->pad_left;
  const int32_t read = rounded(positions(w, w->in_w), SPK_HVX_PIXELS) +
                       most(below * w->in_w + right, 0) + SPK_HVX_PIXELS;
  const int32_t packed = rounded(w->in_h * w->in_w, SPK_HVX_PIXELS);
  return flat_front(w) + rounded(most(read, packed), SPK_HVX_PIXELS);
}

// Do all taps of a column of the kernel begin with whole vectors?
static int32_t are_aligned(const spk_window2d *w) {
  return (w->dilation_h * w->in_w) % AT_ONCE == 0 && (w->pad_top * w->in_w) % AT_ONCE == 0;
}

static int32_t strided_span(const spk_window2d *w) {
  const int32_t words = extent(w->out_h, w->kernel_h, w->stride_h, w->dilation_h) *
                        extent(w->out_w, w->kernel_w, w->stride_w, w->dilation_w);
  return rounded(words, AT_ONCE);
}

// Planes of words without their copies, and one more that loads ahead may touch.
static size_t plane_words(const spk_window2d *w, int32_t kind) {
  if (kind == SPK_HVX_NO_PLANES) return 0;
  const size_t groups = (size_t)spk_channel_fours(w->in_c);
  if (kind == SPK_HVX_FLAT) return (groups + 1) * (size_t)flat_span(w);
  const size_t count = groups * (size_t)phases(w->kernel_h, w->stride_h, w->dilation_h) *
                       (size_t)phases(w->kernel_w, w->stride_w, w->dilation_w);
  // Tiles that begin in a plane read up to a tile and a vector behind it.
  return (count + 1) * (size_t)strided_span(w) + SPK_HVX_PIXELS + AT_ONCE;
}

size_t spk_hvx_planes_bytes(const spk_window2d *w) {
  const int32_t kind = kind_of(w);
  size_t words = plane_words(w, kind);
  if (kind == SPK_HVX_FLAT) {
    const int32_t copies = are_aligned(w) ? w->kernel_w : 0;
    words += words * (size_t)copies + (size_t)w->kernel_w * (size_t)flat_span(w);
  }
  return words * WORD + (kind == SPK_HVX_STRIDED ? SPK_HVX_PIXELS * WORD : 0);
}

void spk_hvx_fill_offsets(const spk_window2d *w, int32_t *offsets) {
  const int32_t kind = kind_of(w), groups = spk_channel_fours(w->in_c);
  const int32_t copied = kind == SPK_HVX_FLAT && are_aligned(w), span = flat_span(w);
  const int32_t copies = copied ? WORD * (int32_t)plane_words(w, kind) : 0;
  int32_t i = 0;
  for (int32_t ky = 0; ky < w->kernel_h; ++ky) {
    const int32_t row = flat_front(w) + (ky * w->dilation_h - w->pad_top) * w->in_w;
    for (int32_t kx = 0; kx < w->kernel_w; ++kx) {
      int32_t place = 4 * SPK_HVX_BYTES * i, step = 4 * SPK_HVX_BYTES;
      if (copied) {  // see spk_hvx_copy_of
        const int32_t before = w->kernel_w + kx * (groups + 1);
        step = WORD * span;
        place = WORD * row + (kx * w->dilation_w == w->pad_left ? 0 : copies + before * step);
      }
      for (int32_t g = 0; g < groups; ++g, ++i, place += step) offsets[i] = place;
    }
  }
}

#if defined(__HVX__)

spk_hvx_planes spk_hvx_planes_of(const spk_window2d *w, int32_t input_offset,
                                 const int8_t *input, uint8_t *scratch, int32_t planar) {
  spk_hvx_planes p = {.w = w, .input = input, .words = scratch, .planar = planar};
  p.kind = kind_of(w);
  p.input_end = input + (ptrdiff_t)w->batch * w->in_h * w->in_w * w->in_c;
  p.padding = Q6_V_vsplat_R((128 - input_offset & 0xff) * 0x01010101);
  p.groups = spk_channel_fours(w->in_c);
  p.masks = (HVX_Vector *)(scratch + plane_words(w, p.kind) * WORD);
  p.batch = w->batch;
  if (p.kind == SPK_HVX_NO_PLANES) {  // all pixels in one row
    p.batch = p.out_h = 1;
    p.out_w = p.out_pitch = p.positions = w->batch * w->in_h * w->in_w;
    return p;
  }
  if (p.kind == SPK_HVX_FLAT) {
    p.copied = !planar && are_aligned(w);
    p.phases_h = p.phases_w = 1;
    p.pitch = w->in_w;
    p.front = flat_front(w);
    p.span = flat_span(w);
    p.plane = planar ? p.span : WORD * p.span;
  } else {
    p.phases_h = phases(w->kernel_h, w->stride_h, w->dilation_h);
    p.phases_w = phases(w->kernel_w, w->stride_w, w->dilation_w);
    p.pitch = extent(w->out_w, w->kernel_w, w->stride_w, w->dilation_w);
    p.span = strided_span(w);
    p.plane = WORD * p.span;
  }
  p.positions = positions(w, p.pitch);
  const int32_t dense = p.pitch == w->out_w;
  p.out_h = dense ? 1 : w->out_h;
  p.out_w = dense ? p.positions : w->out_w;
  p.out_pitch = dense ? p.positions : p.pitch;
  return p;
}

void spk_hvx_fill_planes(const spk_hvx_planes *p, int32_t batch, HVX_Vector *work,
                         HVX_Vector *turn) {
  const spk_window2d *w = p->w;
  const int8_t *image = p->input + (ptrdiff_t)batch * w->in_h * w->in_w * w->in_c;
  if (p->kind == SPK_HVX_STRIDED) {
    for (int32_t i = 0; i < 4; ++i) p->masks[i] = Q6_V_vsplat_R(-1);
    spk_hvx_pack_strided(p, image, turn);
  } else if (p->kind == SPK_HVX_FLAT) {
    if (batch == 0) spk_hvx_fill_padding(p);
    spk_hvx_pack_flat(p, image, work, turn);
    if (p->copied) spk_hvx_copy_planes(p);
  }
}

static void strided_tile(const spk_hvx_planes *p, int32_t position, uint8_t *to) {
  const spk_window2d *w = p->w;
  const int32_t step = p->phases_h * p->phases_w * p->plane;
  for (int32_t ky = 0; ky < w->kernel_h; ++ky) {
    const int32_t y = ky * w->dilation_h / w->stride_h;
    const int32_t phase_h = ky * w->dilation_h % w->stride_h;
    for (int32_t kx = 0; kx < w->kernel_w; ++kx, to += 4 * SPK_HVX_BYTES * p->groups) {
      const int32_t x = kx * w->dilation_w / w->stride_w;
      const int32_t phase = phase_h * p->phases_w + kx * w->dilation_w % w->stride_w;
      const uint8_t *from = p->words + (ptrdiff_t)phase * p->plane +
                            WORD * (ptrdiff_t)(position + y * p->pitch + x);
      spk_hvx_copy_words(from, step, p->groups, p->masks, p->padding, to, 4 * SPK_HVX_BYTES);
    }
  }
}

const uint8_t *spk_hvx_fill_tile(const spk_hvx_planes *p, int32_t position, HVX_Vector *tile,
                                 HVX_Vector *turn) {
  if (p->copied) return p->words + (ptrdiff_t)WORD * position;
  uint8_t *const base = (uint8_t *)tile;
  if (p->kind == SPK_HVX_FLAT) {
    spk_hvx_flat_tile(p, position, base);
    return base;
  }
  if (p->kind == SPK_HVX_NO_PLANES) {
    spk_hvx_pack_tile(p, position, tile, turn);
    return base;
  }
  strided_tile(p, position, base);
  const int32_t fours = p->planar ? p->groups * p->w->kernel_h * p->w->kernel_w : 0;
  for (int32_t i = 0; i < fours; ++i, tile += 4) {
    spk_hvx_put_planar(tile, (uint8_t *)tile, SPK_HVX_BYTES);
  }
  return base;
}

#endif  // __HVX__
