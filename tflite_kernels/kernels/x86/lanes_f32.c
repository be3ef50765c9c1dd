// The run over tiles in lanes, except what depends on the vector length.
#include "kernels/x86/lanes_f32.h"

#include <string.h>

#include "formats/blocks_f32.h"
#include "kernels/x86/lanes_format_f32.h"
#include "kernels/x86/planar_f32.h"

enum { kLine = 64, kMostLanes = 16, kMostTile = 16 };

static size_t round_up(size_t bytes) { return (bytes + kLine - 1) / kLine * kLine; }

static size_t planes_bytes(const spk_lanes *plan) {
  return (size_t)plan->window.in_c * (size_t)(plan->plane * plan->lanes) * sizeof(float);
}

static size_t sums_bytes(const spk_lanes *plan) {
  const size_t channels = ((size_t)plan->window.out_c + 15) / 16 * 16;
  return channels * (size_t)(plan->step_h * plan->tile_w * plan->lanes) * sizeof(float);
}

size_t spk_lanes_f32_scratch(const spk_lanes *plan) {
  return planes_bytes(plan) + round_up((size_t)plan->window.in_c * sizeof(float)) +
         sums_bytes(plan) + spk_f32_live_bytes(plan->window.in_c);
}

// The tiles of one unit.
typedef struct unit_work {
  const spk_lanes *plan;
  const spk_lanes_kernel *kernel;
  const float *input, *padding;
  struct {
    int32_t image, y, x;  // first output pixel; image is -1 where no tile is left
  } lane[kMostLanes];
} unit_work;

static void place_lanes(unit_work *work, int32_t unit) {
  const spk_lanes *plan = work->plan;
  const int32_t tiles = plan->tiles_h * plan->tiles_w;
  for (int32_t l = 0; l < plan->lanes; ++l) {
    const int64_t tile = (int64_t)unit * plan->lanes + l;
    const int32_t image = (int32_t)(tile / tiles), rest = (int32_t)(tile % tiles);
    work->lane[l].image = image < plan->window.batch ? image : -1;
    work->lane[l].y = rest / plan->tiles_w * plan->tile_h;
    work->lane[l].x = rest % plan->tiles_w * plan->tile_w;
  }
}

// Row y of the input of the tile in a lane, at its first column; NULL for rows of padding.
static const float *row_of(const unit_work *work, int32_t l, int32_t y) {
  const spk_window2d *w = &work->plan->window;
  y += work->lane[l].y * w->stride_h - w->pad_top;
  if (work->lane[l].image < 0 || y < 0 || y >= w->in_h) return NULL;
  const size_t row = (size_t)work->lane[l].image * w->in_h + y;
  return work->input + row * w->in_w * w->in_c;
}

static void pack_planes(const unit_work *work, float *planes) {
  const spk_lanes *plan = work->plan;
  const spk_window2d *w = &plan->window;
  const float *rows[kMostLanes];
  int32_t first[kMostLanes];  // column of the input
  for (int32_t l = 0; l < plan->lanes; ++l)
    first[l] = work->lane[l].x * w->stride_w - w->pad_left;
  for (int32_t y = 0; y < plan->rows; ++y) {
    for (int32_t l = 0; l < plan->lanes; ++l) rows[l] = row_of(work, l, y);
    for (int32_t i = 0; i < plan->pitch; ++i, planes += plan->lanes) {
      const int32_t x = i % plan->columns * w->stride_w + i / plan->columns;
      const void *pixels[kMostLanes];
      for (int32_t l = 0; l < plan->lanes; ++l) {
        const int32_t at = first[l] + x;
        const int exists = rows[l] && at >= 0 && at < w->in_w;
        pixels[l] = exists ? rows[l] + (size_t)at * (size_t)w->in_c : work->padding;
      }
      work->kernel->pack(pixels, plan->lanes, w->in_c, planes, plan->plane * plan->lanes);
    }
  }
}

// Where the results go in the output, in elements; -1 for those that do not exist.
static void map_pixels(const unit_work *work, int32_t step, int32_t *to) {
  const spk_lanes *plan = work->plan;
  const spk_window2d *w = &plan->window;
  for (int32_t y = step * plan->step_h; y < (step + 1) * plan->step_h; ++y) {
    for (int32_t x = 0; x < plan->tile_w; ++x) {
      for (int32_t l = 0; l < plan->lanes; ++l) {
        const int32_t row = work->lane[l].y + y, column = work->lane[l].x + x;
        const int exists = work->lane[l].image >= 0 && row < w->out_h && column < w->out_w;
        *to++ = exists ? ((work->lane[l].image * w->out_h + row) * w->out_w + column) * w->out_c
                       : -1;
      }
    }
  }
}

void spk_lanes_f32_run(const spk_args *args, const spk_lanes_kernel *kernel) {
  spk_lanes plan;
  spk_lanes_f32_plan(args->layer, kernel->height, kernel->lanes, &plan);
  const int32_t pixels = plan.step_h * plan.tile_w * plan.lanes;
  const int32_t down = plan.step_h * plan.window.stride_h * plan.pitch * plan.lanes;
  float *planes = args->scratch;
  float *padding = (float *)(void *)((uint8_t *)args->scratch + planes_bytes(&plan));
  const size_t padding_bytes = round_up((size_t)plan.window.in_c * sizeof(float));
  float *sums = (float *)(void *)((uint8_t *)padding + padding_bytes);
  void *extra = (uint8_t *)sums + sums_bytes(&plan);
  const spk_f32_planes seen = {.count = plan.window.in_c,
                               .plane = plan.plane * plan.lanes,
                               .size = plan.rows * plan.pitch * plan.lanes,
                               .pixels = pixels * plan.steps,
                               .is_window = 1};
  memset(padding, 0, padding_bytes);
  spk_args live = *args;
  int32_t to[kMostTile * kMostLanes];
  for (int32_t unit = args->begin; unit < args->end; ++unit) {
    unit_work work = {
        .plan = &plan, .kernel = kernel, .input = args->input, .padding = padding};
    place_lanes(&work, unit);
    pack_planes(&work, planes);
    live.packed = spk_f32_live(args->packed, &seen, planes, extra);
    for (int32_t step = 0; step < plan.steps; ++step) {
      for (int32_t slice = 0; slice < plan.slices; ++slice)
        kernel->compute(&live, &plan, planes + step * down, slice, sums);
      map_pixels(&work, step, to);
      kernel->store(sums, pixels, plan.window.out_c, to, args->output);
    }
  }
}
