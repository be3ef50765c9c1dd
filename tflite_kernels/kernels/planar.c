#include "kernels/planar.h"

#include <string.h>

// The planes of a band should stay in the second-level cache beside the weights, what one tile
// reads of them in the first, or not far from it. A window larger than 1x1 reads whole rows
// around its tile, so that small tiles would save little there; pointwise bands share no rows,
// so that nothing is lost when they are small.
enum { kBandBytes = 256 * 1024, kPointwiseBandBytes = 64 * 1024 };
#if defined(__x86_64__)
enum { kFloatBandBytes = 2 * kBandBytes };  // kernels fetch ahead
#else
enum { kFloatBandBytes = kBandBytes };
#endif
// Pointwise bands are multiples of whole tiles.
enum { kFloatTiles = 96 };
// Lines so far apart share few sets of the first-level cache.
enum { kFewSetsBytes = 1024 };
enum { kTileBytes = 96 * 1024, kSmallestWindowTile = 96 };
enum { kLine = 64, kShortPlane = 8 };

static int32_t gcd(int32_t a, int32_t b) { return b == 0 ? a : gcd(b, a % b); }

// Taps that differ by `period` read the same phase.
static int32_t period_of(int32_t stride, int32_t dilation) {
  return stride / gcd(stride, dilation);
}

static int32_t min_i32(int32_t a, int32_t b) { return a < b ? a : b; }

// How many elements a window reaches beyond the first one within its phase.
static int32_t reach(int32_t kernel, int32_t stride, int32_t dilation) {
  return (kernel - 1) * dilation / stride;
}

static int is_pointwise(const spk_window2d *w) {
  return w->kernel_h == 1 && w->kernel_w == 1 && w->stride_h == 1 && w->stride_w == 1 &&
         w->pad_top == 0 && w->pad_left == 0 && w->in_h == w->out_h && w->in_w == w->out_w;
}

static spk_window2d view_of(const spk_layer *layer) {
  spk_window2d w = layer->window;
  if (is_pointwise(&w)) {
    w.in_h = w.out_h = w.in_h * w.in_w;
    w.in_w = w.out_w = 1;
  }
  return w;
}

// Sets the sizes of the planes for bands of plan->rows rows; returns their bytes.
static int64_t lay_out(spk_planar *plan, size_t element) {
  const spk_window2d *w = &plan->window;
  const int64_t line = (int64_t)(kLine / element);
  plan->plane_rows = plan->rows + reach(w->kernel_h, w->stride_h, w->dilation_h);
  int64_t plane = (int64_t)plan->plane_rows * plan->pitch + plan->shared;
  plane = (plane + line - 1) / line;
  if (plane > kShortPlane) plane |= 1;  // keeps long planes off the same cache sets
  plane *= line;
  plan->plane = plane > INT32_MAX ? INT32_MAX : (int32_t)plane;
  plan->elements = plane * w->in_c * plan->phases_h * plan->phases_w + kSpkMaxTile;
  return plan->elements * (int64_t)element;
}

// The padding behind a row may be that in front of the next one, if windows move by 1.
static int32_t shared_padding(const spk_window2d *w) {
  if (w->stride_w > 1) return 0;
  const int32_t right = w->out_w + reach(w->kernel_w, 1, w->dilation_w) - w->pad_left - w->in_w;
  return right < 0 ? 0 : min_i32(right, w->pad_left);
}

spk_status spk_planar_plan(const spk_layer *layer, size_t element, spk_planar *plan) {
  const spk_window2d w = view_of(layer);
  *plan = (spk_planar){
      .window = w,
      .phases_h = min_i32(w.kernel_h, period_of(w.stride_h, w.dilation_h)),
      .phases_w = min_i32(w.kernel_w, period_of(w.stride_w, w.dilation_w)),
      .shared = shared_padding(&w),
  };
  plan->pitch = w.out_w + reach(w.kernel_w, w.stride_w, w.dilation_w) - plan->shared;
  const int32_t per_image = layer->threads > 1 ? (2 * layer->threads - 1) / w.batch + 1 : 1;
  plan->rows = (w.out_h - 1) / per_image + 1;
  const int is_float = layer->dtype == SPK_F32;
  const int64_t window_limit = is_float ? kFloatBandBytes : kBandBytes;
  const int64_t limit = plan->pitch == 1 ? kPointwiseBandBytes : window_limit;
  while (lay_out(plan, element) > limit && plan->rows > 1) plan->rows = (plan->rows + 1) / 2;
  plan->bands = (w.out_h - 1) / plan->rows + 1;
  plan->rows = (w.out_h - 1) / plan->bands + 1;
  const int32_t whole = is_float ? kFloatTiles : kSpkMaxTile;
  if (plan->pitch == 1 && plan->bands > 1)
    plan->rows = min_i32(w.out_h, (plan->rows + whole - 1) / whole * whole);
  plan->bands = (w.out_h - 1) / plan->rows + 1;
  return lay_out(plan, element) > INT32_MAX / 2 ? SPK_ERR_UNSUPPORTED : SPK_OK;
}

uint32_t spk_planar_offset(const spk_planar *plan, uint32_t column) {
  const spk_window2d *w = &plan->window;
  const int32_t c = (int32_t)(column % (uint32_t)w->in_c);
  const int32_t tap = (int32_t)(column / (uint32_t)w->in_c);
  const int32_t ky = tap / w->kernel_w, kx = tap % w->kernel_w;
  const int32_t phase_y = ky % period_of(w->stride_h, w->dilation_h);
  const int32_t phase_x = kx % period_of(w->stride_w, w->dilation_w);
  const int32_t y = ky * w->dilation_h / w->stride_h, x = kx * w->dilation_w / w->stride_w;
  const int32_t index = (phase_y * plan->phases_w + phase_x) * w->in_c + c;
  return (uint32_t)index * (uint32_t)plan->plane + (uint32_t)(y * plan->pitch + x);
}

int32_t spk_planar_units(const spk_layer *layer, size_t element) {
  spk_planar plan;
  spk_planar_plan(layer, element, &plan);
  return plan.bands * layer->window.batch;
}

static size_t round_up(size_t bytes) { return (bytes + kLine - 1) / kLine * kLine; }

static size_t tile_bytes(size_t element) {
  return (size_t)kSpkMaxTile * kSpkMaxTileChannels * element;
}

size_t spk_planar_scratch(const spk_layer *layer, size_t element) {
  spk_planar plan;
  spk_planar_plan(layer, element, &plan);
  return round_up((size_t)plan.elements * element) +
         round_up((size_t)plan.window.in_c * element) + tile_bytes(element);
}

// One band at work.
typedef struct band_work {
  const spk_args *args;
  const spk_planar_kernel *kernel;
  const spk_planar *plan;
  const uint8_t *image;  // input of this image
  uint8_t *output;       // output of this image
  int32_t first_row;     // of the band
  int32_t rows;          // the last band may be shorter
  uint8_t *planes, *padding, *tile;
  ptrdiff_t pixel_bytes, row_bytes;
} band_work;

// Pixels along one axis of the input, by address: `at`, at + step, ... of `limit`, or the pixel
// of padding.
typedef struct pixel_line {
  const uint8_t *base, *padding;
  int32_t at, step, limit;
  ptrdiff_t bytes;  // from one pixel of the axis to the next
} pixel_line;

static void find_pixels(const pixel_line *line, int32_t count, const void **pixels) {
  const int64_t last = line->at + (int64_t)(count - 1) * line->step;
  if (line->at >= 0 && last < line->limit) {  // most lines: vectors can do it
    const uint8_t *first = line->base + line->at * line->bytes;
    const ptrdiff_t bytes = line->step * line->bytes;
    for (int32_t i = 0; i < count; ++i) pixels[i] = first + i * bytes;
    return;
  }
  for (int32_t i = 0; i < count; ++i) {
    const int32_t at = line->at + i * line->step;
    pixels[i] =
        (uint32_t)at < (uint32_t)line->limit ? line->base + at * line->bytes : line->padding;
  }
}

// From plane pixel (y, x) on, the rest of its row, or of its column where a row is one pixel:
// plane pixel (y, x) is input pixel ((first_row + y) * stride_h + shift_y,
// x * stride_w + shift_x). Below the rows of a plane lies padding, that of the last one; below
// its column may be anything.
static pixel_line line_from(const band_work *work, int32_t y, int32_t x, int32_t shift_y,
                            int32_t shift_x) {
  const spk_window2d *w = &work->plan->window;
  const int32_t in_y = (work->first_row + y) * w->stride_h + shift_y;
  const int32_t in_x = x * w->stride_w + shift_x;
  const int is_column = work->plan->pitch == 1;
  pixel_line line = {.padding = work->padding, .base = work->image};
  line.at = is_column ? in_y : in_x;
  line.step = is_column ? w->stride_h : w->stride_w;
  line.limit = is_column ? w->in_h : w->in_w;
  line.bytes = is_column ? work->row_bytes : work->pixel_bytes;
  const int32_t across = is_column ? in_x : in_y;
  const int is_below = !is_column && y >= work->plan->plane_rows;
  if (is_below || across < 0 || across >= (is_column ? w->in_w : w->in_h))
    line.limit = 0;
  else
    line.base += across * (is_column ? work->pixel_bytes : work->row_bytes);
  return line;
}

// A line of each plane at a time.
static void pack_phase(const band_work *work, int32_t shift_y, int32_t shift_x,
                       uint8_t *planes) {
  const spk_planar *plan = work->plan;
  const int32_t size = plan->plane_rows * plan->pitch + plan->shared;
  const int32_t step = kLine / (int32_t)work->kernel->element;
  const void *pixels[kLine];
  int32_t y = 0, x = 0;
  for (int32_t first = 0; first < size; first += step) {
    for (int32_t i = 0, count; i < step; i += count) {
      const pixel_line line = line_from(work, y, x, shift_y, shift_x);
      count = plan->pitch == 1 ? step : min_i32(step - i, plan->pitch - x);
      find_pixels(&line, count, pixels + i);
      if (plan->pitch == 1) {
        y += count;
      } else if ((x += count) == plan->pitch) {
        x = 0;
        ++y;
      }
    }
    work->kernel->pack(pixels, step, plan->window.in_c, planes + first * work->kernel->element,
                       plan->plane);
  }
}

static void pack_band(const band_work *work) {
  const spk_planar *plan = work->plan;
  const spk_window2d *w = &plan->window;
  const size_t phase_bytes = (size_t)plan->plane * w->in_c * work->kernel->element;
  uint8_t *planes = work->planes;
  for (int32_t i = 0; i < plan->phases_h; ++i) {
    for (int32_t j = 0; j < plan->phases_w; ++j, planes += phase_bytes) {
      pack_phase(work, i * w->dilation_h % w->stride_h - w->pad_top,
                 j * w->dilation_w % w->stride_w - w->pad_left, planes);
    }
  }
}

// The largest tile whose inputs stay in the first-level cache.
static const int32_t *fitting_tiles(const spk_planar_kernel *kernel, const spk_window2d *w) {
  const int64_t pixel_bytes = w->in_c * (int64_t)kernel->element;
  int64_t limit = kTileBytes / pixel_bytes;
  if (w->kernel_h * w->kernel_w > 1 && limit < kSmallestWindowTile) limit = kSmallestWindowTile;
  const int32_t *tiles = kernel->tiles;
  if (kernel->fetches_ahead) return tiles;
  while (tiles[1] > 0 && tiles[0] > limit) ++tiles;
  return tiles;
}

// The largest tile that is full, or the smallest that holds the rest; even tiles, that holds
// its share of the rest.
static int32_t next_tile(const spk_planar_kernel *kernel, const int32_t *tiles, int32_t rest) {
  if (kernel->granule) {
    while (tiles[1] > 0 && rest + kernel->granule <= tiles[0]) ++tiles;
    return tiles[0];
  }
  const int32_t parts = kernel->even ? (rest + tiles[0] - 1) / tiles[0] : 1;
  const int32_t share = (rest + parts - 1) / parts;
  while (tiles[1] > 0 && share <= tiles[1]) ++tiles;
  if (tiles[1] > 0 && rest < tiles[0] && rest <= tiles[0] - tiles[0] / 4) ++tiles;
  return tiles[0];
}

// Where the pixels of a tile go in the output, in elements; -1 for those that do not exist.
static void map_pixels(const band_work *work, int32_t first, int32_t count, int32_t *to) {
  const spk_window2d *w = &work->plan->window;
  const int32_t pitch = work->plan->pitch;
  int32_t y = first / pitch, x = first % pitch;
  if (pitch == 1) {
    for (int32_t p = 0; p < count; ++p)
      to[p] = y + p < work->rows ? (work->first_row + y + p) * w->out_c : -1;
    return;
  }
  for (int32_t p = 0, part; p < count; p += part, x = 0, ++y) {
    part = min_i32(count - p, pitch - x);
    const int32_t row = ((work->first_row + y) * w->out_w + x) * w->out_c;
    const int32_t exist = y < work->rows ? w->out_w - x : 0;
    for (int32_t i = 0; i < part; ++i) to[p + i] = i < exist ? row + i * w->out_c : -1;
  }
}

static void compute_band(const band_work *work) {
  const spk_planar *plan = work->plan;
  const spk_planar_kernel *kernel = work->kernel;
  const size_t element = kernel->element;
  const size_t output = kernel->output ? kernel->output : element;
  const int32_t channels = plan->window.out_c;
  const int32_t pixels = (work->rows - 1) * plan->pitch + plan->window.out_w;
  const int32_t *tiles = fitting_tiles(kernel, &plan->window);
  // Where pixels do not lie a large power of two apart, the inputs get the cache instead.
  const int in_few_sets = (size_t)channels * element % kFewSetsBytes == 0;
  const int32_t few = kernel->channels ? kernel->channels : kSpkTileChannels;
  const int32_t step = kernel->most_channels && (in_few_sets || kernel->fetches_ahead)
                           ? kernel->most_channels
                           : few;
  int32_t to[kSpkMaxTile], count;
  for (int32_t first = 0; first < pixels; first += count) {
    count = next_tile(kernel, tiles, pixels - first);
    map_pixels(work, first, count, to);
    for (int32_t c = 0; c < channels; c += step) {
      const int32_t end = min_i32(channels, c + step);
      kernel->compute(work->args, work->planes + first * element, count, c, end, work->tile);
      kernel->store(work->tile, count, end - c, to, work->output + c * output);
    }
  }
}

// Vectors may read what lies between the planes. Results from there are not stored, but
// denormal numbers in old scratch memory would make some processors very slow.
static void clear_slack(const spk_planar *plan, size_t element, uint8_t *planes) {
  const int64_t used = (int64_t)plan->plane_rows * plan->pitch;
  const int64_t count = plan->phases_h * plan->phases_w * (int64_t)plan->window.in_c;
  for (int64_t i = 0; i < count && used < plan->plane; ++i)
    memset(planes + (size_t)(i * plan->plane + used) * element, 0,
           (size_t)(plan->plane - used) * element);
  memset(planes + (size_t)(count * plan->plane) * element, 0, kSpkMaxTile * element);
}

void spk_planar_run(const spk_args *args, const spk_planar_kernel *kernel) {
  spk_planar plan;
  spk_planar_plan(args->layer, kernel->element, &plan);
  const spk_window2d *w = &plan.window;
  const size_t element = kernel->element;
  const size_t output = kernel->output ? kernel->output : element;
  const size_t pixel = kernel->pixel_bytes ? kernel->pixel_bytes : w->in_c * element;
  const size_t row = kernel->row_bytes ? kernel->row_bytes : w->in_w * pixel;
  uint8_t *planes = args->scratch;
  uint8_t *padding = planes + round_up((size_t)plan.elements * element);
  memset(padding, kernel->padding, (size_t)w->in_c * element);
  if (plan.pitch > 1 || !kernel->granule) clear_slack(&plan, element, planes);
  for (int32_t unit = args->begin; unit < args->end; ++unit) {
    const size_t image = (size_t)(unit / plan.bands);
    band_work work = {
        .args = args,
        .kernel = kernel,
        .plan = &plan,
        .image = (const uint8_t *)args->input + image * w->in_h * row,
        .output = (uint8_t *)args->output + image * w->out_h * w->out_w * w->out_c * output,
        .first_row = unit % plan.bands * plan.rows,
        .planes = planes,
        .padding = padding,
        .tile = padding + round_up((size_t)w->in_c * element),
        .pixel_bytes = (ptrdiff_t)pixel,
        .row_bytes = (ptrdiff_t)row,
    };
    work.rows = min_i32(plan.rows, w->out_h - work.first_row);
    pack_band(&work);
    spk_args live = *args;
    if (kernel->live) {
      live.packed = kernel->live(args, &plan, planes, work.tile + tile_bytes(element));
      work.args = &live;
    }
    compute_band(&work);
  }
}
