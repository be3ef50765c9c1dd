// The tiles of a convolution, packed with little work (see spk/armv7em.h).
//
// Where the output is wide enough, eight neighbours of one row make a tile, and tiles
// follow each other down a strip of the image: of the rows under a window only those
// that the window above did not have are packed anew. Else tiles run along the pixels.
#include "spk/armv7em.h"

#if SPK_ARMV7EM

#include <string.h>

typedef struct packer {
  const spk_window2d *w;
  const int8_t *nothing;  // a row of taps in the padding
  int32_t both;           // the input offset in both lanes
  int32_t row_columns;    // columns of one row of taps: kernel_w * in_c
  int32_t back;           // taps (kx, i) and (kx - back, i + 1) read one pixel; 0 for none
} packer;

// Rows of taps that a tile has, and room for more so that it can slide.
static int32_t room_for_rows(const spk_window2d *w) {
  const int slides = w->kernel_h > w->stride_h && w->dilation_h == 1;
  return slides ? 2 * w->kernel_h : w->kernel_h;
}

// Are strips of eight pixels at most a quarter more tiles?
static int has_strips(const spk_window2d *w) {
  if (w->out_w < SPK_TILE_PIXELS || w->kernel_h * w->kernel_w == 1) return 0;
  const int32_t strips = (w->out_w + SPK_TILE_PIXELS - 1) / SPK_TILE_PIXELS;
  return 4 * SPK_TILE_PIXELS * strips <= 5 * w->out_w;
}

static int is_pointwise(const spk_window2d *w) {
  return w->kernel_h * w->kernel_w == 1 && w->stride_h == 1 && w->stride_w == 1 &&
         w->out_h == w->in_h && w->out_w == w->in_w;
}

static size_t padded(int32_t bytes) { return ((size_t)bytes + 3) & ~(size_t)3; }

// Channels, a row of nothing, the tile, and where it follows the pixels, copies of their
// rows of taps.
size_t spk_conv_tiles_armv7em_scratch(const spk_window2d *w) {
  const int32_t row_columns = w->kernel_w * w->in_c;
  const int32_t rows = has_strips(w) ? room_for_rows(w) : w->kernel_h;
  const int32_t copies = has_strips(w) || is_pointwise(w) ? 0 : SPK_TILE_PIXELS * row_columns;
  return (size_t)w->out_c * sizeof(spk_channel) + padded(row_columns) +
         (size_t)rows * (size_t)row_columns * SPK_TILE_WORDS * sizeof(int32_t) + padded(copies);
}

static void pack_pixels(const packer *p, const int8_t *const at[SPK_TILE_PIXELS],
                        int32_t channels, int32_t *words) {
  spk_pack_two__armv7em(at[0], at[4], at[1], at[5], p->both, channels, words);
  spk_pack_two__armv7em(at[2], at[6], at[3], at[7], p->both, channels, words + 2);
}

// One row of taps for eight neighbours whose first tap is at column x of this input row,
// NULL in the padding.
static void pack_strip_row(const packer *p, const int8_t *row, int32_t x, int32_t *words) {
  const spk_window2d *const w = p->w;
  const int32_t last =
      x + (SPK_TILE_PIXELS - 1) * w->stride_w + (w->kernel_w - 1) * w->dilation_w;
  const int32_t step = w->stride_w * w->in_c;
  const int8_t *at[SPK_TILE_PIXELS];
  const int inside = row != NULL && x >= 0 && last < w->in_w;
  if (row == NULL || (inside && w->dilation_w == 1 && (p->back == 0 || w->in_c < 4))) {
    for (int i = 0; i < SPK_TILE_PIXELS; ++i) {
      at[i] = row != NULL ? row + (ptrdiff_t)x * w->in_c + i * step : p->nothing;
    }
    pack_pixels(p, at, p->row_columns, words);
    return;
  }
  for (int32_t kx = 0; kx < w->kernel_w; ++kx, x += w->dilation_w) {
    for (int i = 0; i < SPK_TILE_PIXELS; ++i) {
      const int32_t column = x + i * w->stride_w;
      at[i] =
          (uint32_t)column < (uint32_t)w->in_w ? row + (ptrdiff_t)column * w->in_c : p->nothing;
    }
    if (p->back > 0 && kx >= p->back) {
      const int32_t *const from = words - p->back * w->in_c * SPK_TILE_WORDS;
      spk_pack_next__armv7em(at[3], at[7], p->both, w->in_c, from, words);
    } else {
      pack_pixels(p, at, w->in_c, words);
    }
    words += w->in_c * SPK_TILE_WORDS;
  }
}

// The strip of eight output columns from `first_x` on.
static void strip(const packer *p, const spk_conv_job *job, const int8_t *image,
                  int32_t first_x, int8_t *output, int32_t *tile) {
  const spk_window2d *const w = p->w;
  const int32_t room = room_for_rows(w), x = first_x * w->stride_w - w->pad_left;
  const int32_t row_words = p->row_columns * SPK_TILE_WORDS;
  int32_t at = 0, kept = 0;  // the tile's first row, and its rows that are packed already
  for (int32_t y = 0; y < w->out_h; ++y, output += (ptrdiff_t)w->out_w * w->out_c) {
    if (at + w->kernel_h > room) {
      spk_move_columns__armv7em(tile + at * row_words, tile, kept * p->row_columns);
      at = 0;
    }
    for (int32_t ky = kept; ky < w->kernel_h; ++ky) {
      const int32_t in_y = y * w->stride_h - w->pad_top + ky * w->dilation_h;
      const int8_t *const row = (uint32_t)in_y < (uint32_t)w->in_h
                                    ? image + (ptrdiff_t)in_y * w->in_w * w->in_c
                                    : NULL;
      pack_strip_row(p, row, x, tile + (at + ky) * row_words);
    }
    job->multiply(job, tile + at * row_words, output + (ptrdiff_t)first_x * w->out_c);
    if (room > w->kernel_h) {
      kept = w->kernel_h - w->stride_h;
      at += w->stride_h;
    }
  }
}

static void all_strips(const packer *p, const spk_conv_job *job, const int8_t *input,
                       int8_t *output, int32_t *tile) {
  const spk_window2d *const w = p->w;
  for (int32_t b = 0; b < w->batch; ++b) {
    for (int32_t x = 0; x < w->out_w; x += SPK_TILE_PIXELS) {
      strip(p, job, input, spk_tile_s8_first(x, w->out_w), output, tile);
    }
    input += (ptrdiff_t)w->in_h * w->in_w * w->in_c;
    output += (ptrdiff_t)w->out_h * w->out_w * w->out_c;
  }
}

// Where the window of an output pixel begins; its taps in a row are in one piece where they
// are neighbours inside the image.
typedef struct corner {
  int32_t y, x;
  int in_one_piece;
  const int8_t *image;
} corner;

SPK_NOINLINE void find_corners(const spk_window2d *w, const int8_t *input, int32_t first,
                               int32_t pixels, corner corners[SPK_TILE_PIXELS]) {
  int32_t x = first % w->out_w, y = first / w->out_w, b = y / w->out_h;
  y -= b * w->out_h;
  int32_t count = SPK_TILE_PIXELS;
  __asm__("" : "+r"(count));  // not known to the compiler, which would make eight copies
  for (int32_t i = 0; i < count; ++i) {
    corners[i].y = y * w->stride_h - w->pad_top;
    corners[i].x = x * w->stride_w - w->pad_left;
    corners[i].in_one_piece = (w->dilation_w == 1 || w->kernel_w == 1) && corners[i].x >= 0 &&
                              corners[i].x + w->kernel_w <= w->in_w;
    corners[i].image = input + (ptrdiff_t)b * w->in_h * w->in_w * w->in_c;
    if (first + i + 1 >= pixels) continue;  // the last pixel stands for those beyond
    if (++x < w->out_w) continue;
    x = 0;
    if (++y < w->out_h) continue;
    y = 0;
    ++b;
  }
}

// A row of taps of one pixel, one behind the other: where they lie, or copied to `copy`.
static const int8_t *row_of_taps(const packer *p, const corner *first, int32_t ky,
                                 int8_t *copy) {
  const spk_window2d *const w = p->w;
  const int32_t y = first->y + ky * w->dilation_h;
  if ((uint32_t)y >= (uint32_t)w->in_h) return p->nothing;
  const int8_t *const row = first->image + (ptrdiff_t)y * w->in_w * w->in_c;
  if (first->in_one_piece) return row + (ptrdiff_t)first->x * w->in_c;
  int8_t *to = copy;
  for (int32_t kx = 0; kx < w->kernel_w; ++kx) {
    const int32_t x = first->x + kx * w->dilation_w;
    const int inside = (uint32_t)x < (uint32_t)w->in_w;
    const int8_t *const from = inside ? row + (ptrdiff_t)x * w->in_c : p->nothing;
    for (int32_t c = 0; c < w->in_c; ++c) *to++ = from[c];
  }
  return copy;
}

static void all_pixels(const packer *p, const spk_conv_job *job, const int8_t *input,
                       int8_t *output, int32_t *tile) {
  const spk_window2d *const w = p->w;
  const int32_t pixels = w->batch * w->out_h * w->out_w;
  const int32_t row_words = p->row_columns * SPK_TILE_WORDS;
  int8_t *const copies = (int8_t *)(tile + w->kernel_h * row_words);
  corner corners[SPK_TILE_PIXELS];
  for (int32_t at = 0; at < pixels; at += SPK_TILE_PIXELS) {
    const int32_t first = spk_tile_s8_first(at, pixels);
    find_corners(w, input, first, pixels, corners);
    for (int32_t ky = 0; ky < w->kernel_h; ++ky) {
      const int8_t *taps[SPK_TILE_PIXELS];
      for (int32_t i = 0; i < SPK_TILE_PIXELS; ++i) {
        taps[i] = row_of_taps(p, &corners[i], ky, copies + i * p->row_columns);
      }
      pack_pixels(p, taps, p->row_columns, tile + ky * row_words);
    }
    job->multiply(job, tile, output + (ptrdiff_t)first * w->out_c);
  }
}

// The same for 1x1 taps with a stride of 1: the input's pixels are the output's.
static void all_points(const packer *p, const spk_conv_job *job, const int8_t *input,
                       int8_t *output, int32_t *tile) {
  const spk_window2d *const w = p->w;
  const int32_t pixels = w->batch * w->out_h * w->out_w, depth = w->in_c;
  for (int32_t at = 0; at < pixels; at += SPK_TILE_PIXELS) {
    const int32_t first = spk_tile_s8_first(at, pixels);
    const int8_t *taps[SPK_TILE_PIXELS];
    for (int32_t i = 0; i < SPK_TILE_PIXELS; ++i) {
      taps[i] = input + (ptrdiff_t)(first + i < pixels ? first + i : pixels - 1) * depth;
    }
    pack_pixels(p, taps, depth, tile);
    job->multiply(job, tile, output + (ptrdiff_t)first * w->out_c);
  }
}

void spk_conv_tiles_armv7em(spk_conv_job *job, const int8_t *input, int8_t *output,
                            void *scratch) {
  const spk_window2d *const w = job->w;
  const int32_t pixels = w->batch * w->out_h * w->out_w;
  const int32_t row_columns = w->kernel_w * w->in_c;
  int8_t *const nothing = (int8_t *)scratch + (size_t)w->out_c * sizeof(spk_channel);
  const uintptr_t unit = (uintptr_t)job->group * SPK_TILE_WORDS * sizeof(int32_t);
  const uintptr_t first = (uintptr_t)(nothing + padded(row_columns));
  int32_t *const tile =
      job->group > 1 ? (int32_t *)((first + unit - 1) / unit * unit) : (int32_t *)first;
  const packer p = {w, nothing, job->q->input_offset * ((1 << 23) + 1), row_columns,
                    w->stride_w % w->dilation_w == 0 ? w->stride_w / w->dilation_w : 0};
  memset(nothing, -job->q->input_offset, (size_t)row_columns);
  job->channels = scratch;
  job->count = pixels < SPK_TILE_PIXELS ? pixels : SPK_TILE_PIXELS;
  spk_channels_armv7em(job->q, job->bias, w->out_c, w->kernel_h * row_columns, SPK_NARROW_EMPTY,
                       job->channels);
  if (is_pointwise(w)) {
    all_points(&p, job, input, output, tile);
  } else if (has_strips(w)) {
    all_strips(&p, job, input, output, tile);
  } else {
    all_pixels(&p, job, input, output, tile);
  }
}

#endif
