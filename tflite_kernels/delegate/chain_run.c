#include <string.h>

#include "delegate/chain_tile.h"

// The planes of a value that is whole, from a pixel of its stream on.
static spk_planes_tile whole_at(const spk_chain_call *call, int32_t v, int32_t pixel) {
  const chain_value *value = &call->chain->values[v];
  const spk_planes *planes = &call->chain->layouts[value->layout];
  const size_t at = value->at + (size_t)(planes->origin + pixel);
  return (spk_planes_tile){call->planes + at * kSpkPlanesWord, planes->plane};
}

spk_planes_tile spk_tile_of(const tile_work *work, int32_t v) {
  const chain_value *value = &work->call->chain->values[v];
  if (value->is_whole) return whole_at(work->call, v, work->first);
  return (spk_planes_tile){work->tiles + value->at * kSpkPlanesWord, kSpkPlanesTileStride};
}

static int32_t pitch_of(const tile_work *work) {
  return work->call->chain->layouts[work->pass->layout].pitch;
}

pixel_run spk_no_run(const tile_work *work) {
  const int32_t pitch = pitch_of(work);
  return (pixel_run){.y = work->first / pitch, .x = work->first % pitch};
}

bool spk_next_run(const tile_work *work, pixel_run *run) {
  const chain_pass *pass = work->pass;
  const int32_t pitch = pitch_of(work);
  run->at += run->count;
  run->x += run->count;
  if (run->x == pitch) {
    run->x = 0;
    ++run->y;
  }
  const int32_t left = work->pixels - run->at;
  const bool exists = run->x < pass->width && run->y < pass->height;
  const int32_t end = exists ? pass->width : pitch;
  run->count = end - run->x < left ? end - run->x : left;
  run->number = exists ? run->y * pass->width + run->x : -1;
  return left > 0;
}

// A depthwise link of stride 2, by rows: what it reads has another layout.
static void run_rows(const tile_work *work, const chain_step *step) {
  const spk_chain *chain = work->call->chain;
  const chain_kernel *kernel = &chain->kernel_of[step->link];
  const int32_t pitch = spk_chain_input_layout(chain, step->link)->pitch;
  spk_planes_row rows[kSpkPlanesTile];
  int32_t count = 0;
  for (pixel_run run = spk_no_run(work); spk_next_run(work, &run);)
    if (run.number >= 0)
      rows[count++] = (spk_planes_row){2 * (run.y * pitch + run.x), run.at, run.count};
  chain->kernels->depthwise2(&kernel->as, whole_at(work->call, step->inputs[0], -kernel->reach),
                             rows, count, spk_tile_of(work, step->output));
}

// Whole planes have padding where there is no pixel: for windows, and because denormal numbers
// in old memory would make some processors very slow, so that float32 has it in all of a plane.
static bool is_padded(const tile_work *work, int32_t v) {
  const chain_value *value = &work->call->chain->values[v];
  return value->is_whole && (value->is_windowed || work->call->chain->kernels->channels == 1);
}

static int32_t find_gaps(const tile_work *work, int32_t at[kSpkPlanesTile]) {
  const int32_t end = work->pass->stream - work->first;
  int32_t count = 0;
  for (pixel_run run = spk_no_run(work); spk_next_run(work, &run);)
    for (int32_t i = 0; run.number < 0 && i < run.count && run.at + i < end; ++i)
      at[count++] = run.at + i;
  return count;
}

// Those of a value that are padding.
static spk_planes_gaps gaps_of(const tile_work *work, int32_t v) {
  return (spk_planes_gaps){.at = work->gaps,
                           .count = is_padded(work, v) ? work->gap_count : 0,
                           .word = work->call->chain->values[v].padding};
}

static void fill_gaps(const tile_work *work, int32_t v) {
  const spk_planes_gaps gaps = gaps_of(work, v);
  const spk_planes_tile tile = spk_tile_of(work, v);
  for (int32_t i = 0; i < work->call->chain->values[v].planes; ++i)
    spk_planes_fill_gaps(&gaps,
                         (uint8_t *)tile.at + (ptrdiff_t)i * tile.stride * kSpkPlanesWord);
}

static void run_link(const tile_work *work, const chain_step *step) {
  const spk_chain *chain = work->call->chain;
  const spk_link *link = &chain->links[step->link];
  if (chain->windows[step->link].stride_w == 2) {
    run_rows(work, step);
    return;
  }
  const chain_kernel *kernel = &chain->kernel_of[step->link];
  spk_planes_tile a = spk_tile_of(work, step->inputs[0]), b = {NULL, 0};
  const spk_planes_tile to = spk_tile_of(work, step->output);
  const spk_planes_gaps gaps = gaps_of(work, step->output);
  if (work->pass->band && step == &chain->steps[work->pass->first_step])
    a = spk_planes_from(
        (spk_planes_tile){work->tiles + work->pass->band_at * kSpkPlanesWord, work->pass->band},
        work->first - work->band_first);
  else
    a = spk_planes_from(a, -kernel->reach);
  if (link->input_count == 2) b = spk_tile_of(work, step->inputs[1]);
  switch (link->kind) {
    case SPK_LINK_CONV_2D:
      chain->kernels->conv2d(&kernel->as, a, work->pixels, to, &gaps);
      break;
    case SPK_LINK_DEPTHWISE:
      chain->kernels->depthwise(&kernel->as, a, work->pixels, to);
      break;
    default:
      if (link->dtype == SPK_S8) {
        chain->kernels->add(&kernel->as, a, b, work->pixels, to);
        break;
      }
      chain->kernels->pointwise(link->function, a, b, work->pixels,
                                chain->values[step->output].channels, link->act_min,
                                link->act_max, to);
  }
}

// A quarter of a vector at a time, the last one over the one before.
static void fill_words(uint8_t *at, size_t count, uint32_t word) {
  enum { kWords = kSpkPlanesVector / 4, kBytes = kWords * kSpkPlanesWord };
  uint32_t line[kWords];
  for (size_t i = 0; i < kWords; ++i) line[i] = word;
  if (count < kWords) {
    memcpy(at, line, count * kSpkPlanesWord);
    return;
  }
  uint8_t *const last = at + count * kSpkPlanesWord - kBytes;
  for (; at < last; at += kBytes) memcpy(at, line, kBytes);
  memcpy(last, line, kBytes);
}

// The padding before the first and behind the last pixel of planes.
static void fill_ends(const tile_work *work, int32_t v) {
  const chain_value *value = &work->call->chain->values[v];
  const spk_planes *planes = &work->call->chain->layouts[value->layout];
  const bool is_float = work->call->chain->kernels->channels == 1;
  const size_t stream = (size_t)work->pass->stream;
  const size_t origin = (size_t)planes->origin, size = (size_t)planes->plane;
  const size_t pitch = (size_t)planes->pitch, gap = (size_t)planes->gap;
  const size_t below = pitch - (size_t)value->width + (size_t)planes->bottom * pitch;
  const size_t before = is_float ? origin : (size_t)planes->top * pitch + gap;
  const size_t behind = is_float ? size - origin - stream : below;
  uint8_t *plane = work->call->planes + value->at * kSpkPlanesWord;
  for (int32_t i = 0; i < value->planes; ++i, plane += size * kSpkPlanesWord) {
    uint8_t *pixels = plane + origin * kSpkPlanesWord;
    if (work->first == 0) fill_words(pixels - before * kSpkPlanesWord, before, value->padding);
    if (work->is_last) fill_words(pixels + stream * kSpkPlanesWord, behind, value->padding);
  }
}

static void run_tile(const tile_work *work) {
  const spk_chain *chain = work->call->chain;
  for (int32_t s = 0; s < work->pass->step_count; ++s) {
    const chain_step *step = &chain->steps[work->pass->first_step + s];
    if (step->kind == CHAIN_STORE) {
      spk_store_tile(work, step->inputs[0]);
      continue;
    }
    if (step->kind == CHAIN_PACK)
      spk_pack_tile(work, step->output);
    else
      run_link(work, step);
    if (!is_padded(work, step->output)) continue;
    if (step->kind == CHAIN_PACK || chain->links[step->link].kind != SPK_LINK_CONV_2D)
      fill_gaps(work, step->output);
    if (work->first == 0 || work->is_last) fill_ends(work, step->output);
  }
}

// Copies what the window of the first link reads for the tiles of a unit.
static void fill_band(const spk_chain_call *call, const chain_pass *pass, int32_t first,
                      uint8_t *tiles) {
  const spk_chain *chain = call->chain;
  const chain_step *step = &chain->steps[pass->first_step];
  const chain_value *value = &chain->values[step->inputs[0]];
  const chain_kernel *kernel = &chain->kernel_of[step->link];
  const int32_t left = pass->stream - first, most = pass->unit * pass->tile;
  const int32_t pixels = (left < most ? left : most) + kSpkPlanesVector - 1;
  const spk_planes_tile from = whole_at(call, step->inputs[0], first - kernel->reach);
  for (size_t i = 0; i < (size_t)value->planes; ++i)
    memcpy(tiles + (pass->band_at + i * (size_t)pass->band) * kSpkPlanesWord,
           (const uint8_t *)from.at + i * (size_t)from.stride * kSpkPlanesWord,
           (size_t)(pixels + kernel->span) * kSpkPlanesWord);
}

static void run_unit(const spk_chain_call *call, const chain_pass *pass, int32_t unit,
                     uint8_t *tiles) {
  const int32_t begin = unit * pass->unit * pass->tile;
  int32_t gaps[kSpkPlanesTile];
  if (pass->band) fill_band(call, pass, begin, tiles);
  for (int32_t i = 0; i < pass->unit; ++i) {
    tile_work work = {.call = call,
                      .pass = pass,
                      .tiles = tiles,
                      .first = begin + i * pass->tile,
                      .band_first = begin,
                      .gaps = gaps};
    const int32_t left = pass->stream - work.first;
    if (left <= 0) return;
    work.is_last = left <= pass->tile;
    work.pixels = work.is_last
                      ? (left + kSpkPlanesVector - 1) / kSpkPlanesVector * kSpkPlanesVector
                      : pass->tile;
    work.gap_count = find_gaps(&work, gaps);
    run_tile(&work);
  }
}

void spk_chain_run(const spk_chain_call *call, int32_t pass, int32_t begin, int32_t end,
                   uint8_t *tiles) {
  for (int32_t unit = begin; unit < end; ++unit)
    run_unit(call, &call->chain->passes[pass], unit, tiles);
}
