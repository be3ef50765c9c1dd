// The windows of a convolution as pixels of a tile, for what enters a chain: then the kernels
// for windows of one pixel multiply them, whatever the stride and the number of channels.
//
// The rows of a window lie side by side in NHWC, each is filled up to whole words.
#include <string.h>

#include "delegate/chain_tile.h"

enum { kMostWords = 64 };  // of a window

static int32_t words_of_row(const spk_window2d *w) {
  return (w->kernel_w * w->in_c - 1) / kSpkPlanesWord + 1;
}

bool spk_unrolls(const spk_link *link, const spk_window2d *w) {
  if (link->dtype != SPK_S8 || link->kind != SPK_LINK_CONV_2D) return false;
  const bool is_pixel = w->kernel_h == 1 && w->kernel_w == 1 && w->stride_h == 1 &&
                        w->stride_w == 1 && w->pad_top == 0 && w->pad_left == 0;
  return !is_pixel || w->in_c % kSpkPlanesWord != 0;
}

bool spk_can_unroll(const spk_window2d *w) {
  return w->dilation_w == 1 && (int64_t)w->kernel_w * w->in_c <= kMostWords * kSpkPlanesWord &&
         w->kernel_h <= kMostWords / words_of_row(w);
}

spk_window2d spk_unrolled(const spk_window2d *w) {
  return (spk_window2d){.batch = w->batch,
                        .in_h = w->out_h,
                        .in_w = w->out_w,
                        .in_c = w->kernel_h * words_of_row(w) * kSpkPlanesWord,
                        .out_h = w->out_h,
                        .out_w = w->out_w,
                        .out_c = w->out_c,
                        .kernel_h = 1,
                        .kernel_w = 1,
                        .stride_h = 1,
                        .stride_w = 1,
                        .dilation_h = 1,
                        .dilation_w = 1};
}

int32_t spk_run_of_link(const spk_link *link, const spk_window2d *w) {
  const int32_t row = w->kernel_w * w->in_c;
  return spk_unrolls(link, w) ? row : row * w->kernel_h;
}

// The windows' rows of one number, for the pixels of a tile.
typedef struct window_rows {
  const spk_window2d *w;
  const uint8_t *image, *end;
  size_t bytes;           // of such a row, in words
  int32_t first, behind;  // the outputs of a row whose windows are all in it
  int zero_point;
  const uint8_t *rows[kSpkPlanesTile];
  int32_t even[kSpkPlanesTile];  // where the pixels end that lie evenly in the image; 0: a copy
  uint8_t copies[kSpkPlanesTile][kMostWords * kSpkPlanesWord];
} window_rows;

// The row `y` of the image from column `x` on, part of which may be padding.
static void copy_row(window_rows *to, int32_t pixel, int32_t y, int32_t x) {
  const spk_window2d *w = to->w;
  const int32_t begin = x < 0 ? 0 : x;
  const int32_t end = x + w->kernel_w < w->in_w ? x + w->kernel_w : w->in_w;
  uint8_t *copy = to->copies[pixel];
  memset(copy, to->zero_point, to->bytes);
  if (y >= 0 && y < w->in_h && begin < end)
    memcpy(copy + (size_t)(begin - x) * (size_t)w->in_c,
           to->image + ((size_t)y * (size_t)w->in_w + (size_t)begin) * (size_t)w->in_c,
           (size_t)(end - begin) * (size_t)w->in_c);
  to->rows[pixel] = copy;
  to->even[pixel] = 0;
}

// Where the windows' rows `ky` lie in the image, for pixels of one row; or copies of them.
static void find_rows(window_rows *to, const pixel_run *run, int32_t ky) {
  const spk_window2d *w = to->w;
  const bool is_pixel = run->number >= 0;  // else it is all padding
  const int32_t y = is_pixel ? run->y * w->stride_h - w->pad_top + ky * w->dilation_h : -1;
  const bool exists = y >= 0 && y < w->in_h;
  const int32_t stride = exists ? w->stride_w : 0, x = run->x * stride - w->pad_left;
  int32_t i = 0, end = exists ? to->behind - run->x : 0;
  if (end > run->count) end = run->count;
  for (; i < run->count && i < to->first - run->x; ++i)
    copy_row(to, run->at + i, y, x + i * stride);
  if (i < end) {
    const ptrdiff_t step = (ptrdiff_t)stride * w->in_c;
    const uint8_t *from = to->image + ((ptrdiff_t)y * w->in_w + x) * w->in_c + i * step;
    // Words may hold more than the window, but nothing behind the image is read.
    while (end > i && to->end - from < (end - 1 - i) * step + (ptrdiff_t)to->bytes) --end;
    for (int32_t j = i; j < end; ++j, from += step) to->rows[run->at + j] = from;
    for (; i < end; ++i) to->even[run->at + i] = run->at + end;
  }
  for (; i < run->count; ++i) copy_row(to, run->at + i, y, x + i * stride);
}

// May a vector of pixels from `p` on be read at once?
static bool is_even(const window_rows *rows, int32_t p) {
  return rows->even[p] >= p + kSpkPlanesVector &&
         rows->w->stride_w * rows->w->in_c <= kSpkPlanesMostStep &&
         rows->end - rows->rows[p] >= (ptrdiff_t)rows->bytes + kSpkPlanesStepsRead;
}

void spk_pack_windows(const tile_work *work, int32_t v, const uint8_t *image) {
  const spk_chain *chain = work->call->chain;
  const spk_window2d *w = &chain->values[v].unrolled;
  const int32_t words = words_of_row(w);
  const spk_planes_tile tile = spk_tile_of(work, v);
  window_rows rows;
  rows.w = w;
  rows.image = image;
  rows.end = image + (size_t)w->in_h * (size_t)w->in_w * (size_t)w->in_c;
  rows.bytes = (size_t)words * kSpkPlanesWord;
  rows.zero_point = -chain->values[v].input_offset;
  rows.first = (w->pad_left + w->stride_w - 1) / w->stride_w;
  rows.behind = w->in_w + w->pad_left < w->kernel_w
                    ? 0
                    : (w->in_w + w->pad_left - w->kernel_w) / w->stride_w + 1;
  for (int32_t ky = 0; ky < w->kernel_h; ++ky) {
    for (pixel_run run = spk_no_run(work); spk_next_run(work, &run);)
      find_rows(&rows, &run, ky);
    for (int32_t p = 0; p < work->pixels; p += kSpkPlanesVector) {
      uint8_t *to =
          (uint8_t *)tile.at + ((ptrdiff_t)ky * words * tile.stride + p) * kSpkPlanesWord;
      if (chain->kernels->pack_steps && is_even(&rows, p))
        chain->kernels->pack_steps(rows.rows[p], w->stride_w * w->in_c, words, to, tile.stride);
      else
        chain->kernels->pack((const void *const *)rows.rows + p, kSpkPlanesVector, words, to,
                             tile.stride);
    }
  }
}
