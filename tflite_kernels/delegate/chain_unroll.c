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
  spk_window2d pixel = *w;
  pixel.in_h = w->out_h;
  pixel.in_w = w->out_w;
  pixel.in_c = w->kernel_h * words_of_row(w) * kSpkPlanesWord;
  pixel.kernel_h = pixel.kernel_w = 1;
  pixel.stride_h = pixel.stride_w = 1;
  pixel.dilation_h = pixel.dilation_w = 1;
  pixel.pad_top = pixel.pad_left = 0;
  return pixel;
}

int32_t spk_run_of_link(const spk_link *link, const spk_window2d *w) {
  const int32_t row = w->kernel_w * w->in_c;
  return spk_unrolls(link, w) ? row : row * w->kernel_h;
}

// The windows' rows of one number, for the pixels of a tile.
typedef struct window_rows {
  const spk_window2d *w;
  const spk_planes_kernels *kernels;
  const uint8_t *image, *end;
  spk_planes_tile to;
  int32_t words;          // of such a row
  int32_t first, behind;  // the outputs of a row whose windows are all in it
  int zero_point;
  bool is_packed[kSpkPlanesTile / kSpkPlanesVector];
  const uint8_t *rows[kSpkPlanesTile];  // where it is not
  uint8_t copies[kSpkPlanesTile][kMostWords * kSpkPlanesWord];
} window_rows;

// The row `y` of the image from column `x` on, part of which may be padding.
static void copy_row(window_rows *to, int32_t pixel, int32_t y, int32_t x) {
  const spk_window2d *w = to->w;
  const int32_t begin = x < 0 ? 0 : x;
  const int32_t end = x + w->kernel_w < w->in_w ? x + w->kernel_w : w->in_w;
  uint8_t *copy = to->copies[pixel];
  memset(copy, to->zero_point, (size_t)to->words * kSpkPlanesWord);
  if (y >= 0 && y < w->in_h && begin < end)
    memcpy(copy + (size_t)(begin - x) * (size_t)w->in_c,
           to->image + ((size_t)y * (size_t)w->in_w + (size_t)begin) * (size_t)w->in_c,
           (size_t)(end - begin) * (size_t)w->in_c);
  to->rows[pixel] = copy;
}

// Pixels [begin, end), the first of which lies at `from`: whole vectors are packed at once.
static void find_inner_rows(window_rows *to, int32_t begin, int32_t end, const uint8_t *from) {
  enum { kVector = kSpkPlanesVector };
  const ptrdiff_t step = (ptrdiff_t)to->w->stride_w * to->w->in_c;
  const ptrdiff_t read = (ptrdiff_t)to->words * kSpkPlanesWord + kSpkPlanesStepsRead;
  const bool has_steps = to->kernels->pack_steps && step <= kSpkPlanesMostStep;
  for (int32_t i = begin; i < end;) {
    const uint8_t *const at = from + (i - begin) * step;
    if (has_steps && i % kVector == 0 && end - i >= kVector && to->end - at >= read) {
      to->kernels->pack_steps(at, (int32_t)step, to->words, spk_planes_from(to->to, i).at,
                              to->to.stride);
      to->is_packed[i / kVector] = true;
      i += kVector;
    } else {
      to->rows[i++] = at;
    }
  }
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
    const ptrdiff_t step = (ptrdiff_t)stride * w->in_c, bytes = to->words * kSpkPlanesWord;
    const uint8_t *from = to->image + ((ptrdiff_t)y * w->in_w + x) * w->in_c + i * step;
    // Words may hold more than the window, but nothing behind the image is read.
    while (end > i && to->end - from < (end - 1 - i) * step + bytes) --end;
    find_inner_rows(to, run->at + i, run->at + end, from);
    i = end;
  }
  for (; i < run->count; ++i) copy_row(to, run->at + i, y, x + i * stride);
}

void spk_pack_windows(const tile_work *work, int32_t v, const uint8_t *image) {
  const chain_value *value = &work->call->chain->values[v];
  const spk_window2d *w = &value->unrolled;
  const int32_t behind = w->in_w + w->pad_left - w->kernel_w;
  window_rows rows;
  rows.w = w;
  rows.kernels = work->call->chain->kernels;
  rows.image = image;
  rows.end = image + (size_t)w->in_h * (size_t)w->in_w * (size_t)w->in_c;
  rows.to = spk_tile_of(work, v);
  rows.words = words_of_row(w);
  rows.first = (w->pad_left + w->stride_w - 1) / w->stride_w;
  rows.behind = behind < 0 ? 0 : behind / w->stride_w + 1;
  rows.zero_point = -value->input_offset;
  for (int32_t ky = 0; ky < w->kernel_h; ++ky) {
    memset(rows.is_packed, 0, sizeof(rows.is_packed));
    for (pixel_run run = spk_no_run(work); spk_next_run(work, &run);)
      find_rows(&rows, &run, ky);
    for (int32_t p = 0; p < work->pixels; p += kSpkPlanesVector)
      if (!rows.is_packed[p / kSpkPlanesVector])
        rows.kernels->pack((const void *const *)rows.rows + p, kSpkPlanesVector, rows.words,
                           spk_planes_from(rows.to, p).at, rows.to.stride);
    rows.to.at =
        (uint8_t *)rows.to.at + (ptrdiff_t)rows.words * rows.to.stride * kSpkPlanesWord;
  }
}
