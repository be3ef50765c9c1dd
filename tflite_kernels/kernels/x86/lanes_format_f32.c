// The plan of tiles in lanes, and the weights in the order in which it reads them.
#include "kernels/x86/lanes_format_f32.h"

#include <string.h>

#include "formats/blocks_f32.h"
#include "kernels/x86/kernels_x86.h"

// Tiles of several steps are for planes that stay in the second-level cache beside the weights.
enum { kSteps = 8, kStepsBytes = 768 * 1024, kMostPlanesBytes = 16 * 1024 * 1024 };

// Steps that conv2d_f32_lanes_template.h has loops for. ymm registers hold fewer sums.
typedef struct step_shape {
  int32_t h, w;
} step_shape;
static const step_shape kShapes[] = {{2, 7}, {2, 4}, {1, 8}, {1, 7}, {1, 4}};
enum { kShapeCount = sizeof(kShapes) / sizeof(kShapes[0]) };

static int32_t most_pixels(int32_t height, int32_t lanes) {
  return lanes == 16 ? (height == 1 ? 14 : 8) : 8 / height;
}

static int32_t divide_up(int64_t a, int32_t b) { return (int32_t)((a + b - 1) / b); }

static void lay_out(spk_lanes *plan, const step_shape *shape, int32_t steps) {
  const spk_window2d *w = &plan->window;
  plan->steps = steps;
  plan->step_h = shape->h;
  plan->tile_h = steps * shape->h;
  plan->tile_w = shape->w;
  plan->tiles_h = divide_up(w->out_h, plan->tile_h);
  plan->tiles_w = divide_up(w->out_w, shape->w);
  plan->units = divide_up((int64_t)w->batch * plan->tiles_h * plan->tiles_w, plan->lanes);
  plan->rows = (plan->tile_h - 1) * w->stride_h + (w->kernel_h - 1) * w->dilation_h + 1;
  const int32_t columns = (shape->w - 1) * w->stride_w + (w->kernel_w - 1) * w->dilation_w + 1;
  plan->columns = divide_up(columns, w->stride_w);
  plan->pitch = plan->columns * w->stride_w;
  plan->plane = (plan->rows * plan->pitch) | 1;  // keeps planes off the same cache sets
}

// Copying a vector takes about as long as this share of the multiplications that all weights of
// an input and output channel would take, of which a tenth are left.
static double work_of(const spk_lanes *plan, int32_t threads) {
  static const double kCopy = 40;
  const spk_window2d *w = &plan->window;
  const double taps = (double)w->kernel_h * w->kernel_w * w->out_c;
  const int32_t units = threads > 1 ? divide_up(plan->units, threads) : plan->units;
  return units * (taps * plan->tile_h * plan->tile_w + kCopy * plan->plane);
}

static int64_t plane_bytes(const spk_lanes *plan, int32_t rows) {
  return (int64_t)rows * plan->pitch * plan->lanes * (int64_t)sizeof(float);
}

spk_status spk_lanes_f32_plan(const spk_layer *layer, int32_t height, int32_t lanes,
                              spk_lanes *plan) {
  const spk_window2d *w = &layer->window;
  spk_lanes tried = {.window = *w, .lanes = lanes};
  plan->units = 0;
  if (w->kernel_h * w->kernel_w == 1) return SPK_ERR_UNSUPPORTED;
  for (int i = 0; i < kShapeCount; ++i) {
    if (kShapes[i].h * kShapes[i].w > most_pixels(height, lanes)) continue;
    for (int32_t steps = 1; steps <= kSteps; ++steps) {
      lay_out(&tried, &kShapes[i], steps);
      if (steps > 1 && plane_bytes(&tried, tried.rows) * w->in_c > kStepsBytes) break;
      if (plan->units == 0 || work_of(&tried, layer->threads) < work_of(plan, layer->threads))
        *plan = tried;
    }
  }
  if (plane_bytes(plan, plan->rows) * w->in_c > kMostPlanesBytes) return SPK_ERR_UNSUPPORTED;
  // Sums and weights need the rest of the first-level cache.
  const int64_t room = spk_first_cache_bytes() * 3 / 4;
  const int32_t step_rows = plan->rows - (plan->tile_h - plan->step_h) * w->stride_h;
  const int64_t bytes = plane_bytes(plan, step_rows);
  const int32_t fitting = bytes < room ? (int32_t)(room / bytes) : 1;
  plan->slices = divide_up(w->in_c, fitting);
  plan->slice = divide_up(w->in_c, plan->slices);
  plan->slices = divide_up(w->in_c, plan->slice);
  return SPK_OK;
}

// Offset of the input of a tap, from the planes.
static uint32_t offset_of(const spk_lanes *plan, int32_t channel, int32_t tap) {
  const spk_window2d *w = &plan->window;
  const int32_t y = tap / w->kernel_w * w->dilation_h, x = tap % w->kernel_w * w->dilation_w;
  const int32_t column = x % w->stride_w * plan->columns + x / w->stride_w;
  return (uint32_t)((channel * plan->plane + y * plan->pitch + column) * plan->lanes);
}

// Copies the weights of a block, 0 for channels that do not exist; is one of them not 0?
static int take_block(const spk_window2d *w, const float *dense, int32_t first, int32_t height,
                      size_t column, float *block) {
  const size_t cols = (size_t)w->kernel_h * w->kernel_w * w->in_c;
  int found = 0;
  for (int32_t r = 0; r < height; ++r) {
    block[r] = first + r < w->out_c ? dense[(size_t)(first + r) * cols + column] : 0.0f;
    found |= block[r] != 0.0f;
  }
  return found;
}

// Counts the blocks of the channels [begin, end), and writes them if there is room given.
static uint32_t take_group(const spk_lanes *plan, const float *dense, int32_t height,
                           int32_t first, int32_t begin, int32_t end, uint32_t *column,
                           float *weights) {
  const spk_window2d *w = &plan->window;
  uint32_t count = 0;
  float block[4];
  for (int32_t c = begin; c < end; ++c) {
    for (int32_t tap = 0; tap < w->kernel_h * w->kernel_w; ++tap) {
      if (!take_block(w, dense, first, height, (size_t)tap * w->in_c + c, block)) continue;
      if (column) {
        column[count] = offset_of(plan, c, tap);
        memcpy(weights + (size_t)count * height, block, (size_t)height * sizeof(float));
      }
      ++count;
    }
  }
  return count;
}

// Goes over all groups; returns their blocks. `view` is NULL to count only.
static uint32_t take_all(const spk_lanes *plan, const float *dense, int32_t height,
                         const spk_blocks_f32_view *view) {
  const spk_window2d *w = &plan->window;
  uint32_t count = 0, *first = view ? (uint32_t *)view->first : NULL;
  for (int32_t slice = 0; slice < plan->slices; ++slice) {
    const int32_t begin = slice * plan->slice;
    const int32_t end = w->in_c - begin < plan->slice ? w->in_c : begin + plan->slice;
    for (int32_t o = 0; o < w->out_c; o += height) {
      if (view) *first++ = count;
      count += take_group(plan, dense, height, o, begin, end,
                          view ? (uint32_t *)view->column + count : NULL,
                          view ? (float *)view->weights + (size_t)count * height : NULL);
    }
  }
  if (view) *first = count;
  return count;
}

static spk_blocks_f32_header header_of(const spk_lanes *plan, const float *dense,
                                       int32_t height) {
  const spk_window2d *w = &plan->window;
  return (spk_blocks_f32_header){.height = height,
                                 .rows = w->out_c,
                                 .cols = w->kernel_h * w->kernel_w * w->in_c,
                                 .groups = plan->slices * divide_up(w->out_c, height),
                                 .blocks = take_all(plan, dense, height, NULL)};
}

static size_t pack_size(const spk_layer *layer, const void *dense, int32_t height,
                        int32_t lanes) {
  spk_lanes plan;
  if (spk_lanes_f32_plan(layer, height, lanes, &plan) != SPK_OK) return 0;
  const spk_blocks_f32_header header = header_of(&plan, dense, height);
  return spk_blocks_f32_layout_of(&header).total;
}

static spk_status pack(const spk_layer *layer, const void *dense, int32_t height, int32_t lanes,
                       void *packed, size_t bytes) {
  spk_lanes plan;
  const spk_status status = spk_lanes_f32_plan(layer, height, lanes, &plan);
  if (status != SPK_OK) return status;
  const spk_blocks_f32_header header = header_of(&plan, dense, height);
  if (bytes < spk_blocks_f32_layout_of(&header).total) return SPK_ERR_SPACE;
  memcpy(packed, &header, sizeof(header));
  const spk_blocks_f32_view view = spk_blocks_f32_view_of(packed);
  take_all(&plan, dense, height, &view);
  return SPK_OK;
}

static size_t scratch(const spk_layer *layer, int32_t height, int32_t lanes) {
  spk_lanes plan;
  return spk_lanes_f32_plan(layer, height, lanes, &plan) == SPK_OK
             ? spk_lanes_f32_scratch(&plan)
             : 0;
}

static int32_t units(const spk_layer *layer, int32_t height, int32_t lanes) {
  spk_lanes plan;
  return spk_lanes_f32_plan(layer, height, lanes, &plan) == SPK_OK ? plan.units : 0;
}

#define SPK_LANES_F32_FUNCTIONS(name, height, lanes)                                     \
  size_t spk_lanes_f32_##name##_pack_size(const spk_layer *layer, const void *weights) { \
    return pack_size(layer, weights, height, lanes);                                     \
  }                                                                                      \
  spk_status spk_lanes_f32_##name##_pack(const spk_layer *layer, const void *weights,    \
                                         void *packed, size_t bytes) {                   \
    return pack(layer, weights, height, lanes, packed, bytes);                           \
  }                                                                                      \
  size_t spk_lanes_f32_##name##_scratch(const spk_layer *layer) {                        \
    return scratch(layer, height, lanes);                                                \
  }                                                                                      \
  int32_t spk_lanes_f32_##name##_units(const spk_layer *layer) {                         \
    return units(layer, height, lanes);                                                  \
  }
SPK_LANES_F32_FUNCTIONS(rows1_avx2, 1, 8)
SPK_LANES_F32_FUNCTIONS(rows1_avx512, 1, 16)
SPK_LANES_F32_FUNCTIONS(rows2_avx2, 2, 8)
SPK_LANES_F32_FUNCTIONS(rows2_avx512, 2, 16)
