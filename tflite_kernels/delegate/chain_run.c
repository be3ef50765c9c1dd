#include <string.h>

#include "delegate/chain_plan.h"

// A tile at work: `pixels` pixels of the stream from `first` on, a whole number of vectors.
typedef struct tile_work {
  const spk_chain_call *call;
  const chain_pass *pass;
  float *tiles;
  int32_t first, pixels;
  int32_t band_first;  // the pixel where the band begins
  bool is_last;
} tile_work;

static spk_planes_tile tile_at(const tile_work *work, int32_t v) {
  const spk_chain *chain = work->call->chain;
  const chain_value *value = &chain->values[v];
  if (!value->is_whole) return (spk_planes_tile){work->tiles + value->at, kSpkPlanesTileStride};
  return (spk_planes_tile){work->call->planes + value->at + chain->planes.origin + work->first,
                           chain->planes.plane};
}

// A place in the stream of pixels.
typedef struct pixel_walk {
  int32_t y, x;
} pixel_walk;

static pixel_walk start_walk(const tile_work *work) {
  const int32_t pitch = work->call->chain->planes.pitch;
  return (pixel_walk){work->first / pitch, work->first % pitch};
}

// The number of the pixel there, or -1 between rows and behind the last; goes on to the next.
static int32_t next_pixel(const tile_work *work, pixel_walk *walk) {
  const chain_pass *pass = work->pass;
  const bool exists = walk->x < pass->width && walk->y < pass->height;
  const int32_t number = exists ? walk->y * pass->width + walk->x : -1;
  if (++walk->x == work->call->chain->planes.pitch) {
    walk->x = 0;
    ++walk->y;
  }
  return number;
}

static float *image_of(const tile_work *work, int32_t v) {
  const chain_value *value = &work->call->chain->values[v];
  const size_t size = (size_t)value->height * (size_t)value->width * (size_t)value->channels;
  return work->call->data_of(work->call->context, value->tensor) +
         size * (size_t)work->call->image;
}

static void pack(const tile_work *work, int32_t v) {
  const spk_chain *chain = work->call->chain;
  const int32_t channels = chain->values[v].channels;
  const float *image = image_of(work, v);
  const spk_planes_tile to = tile_at(work, v);
  const void *pixels[kSpkPlanesTile];
  pixel_walk walk = start_walk(work);
  for (int32_t p = 0; p < work->pixels; ++p) {
    const int32_t number = next_pixel(work, &walk);
    pixels[p] = number < 0 ? chain->zeros : image + (size_t)number * (size_t)channels;
  }
  for (int32_t p = 0; p < work->pixels; p += kSpkPlanesVector)
    chain->kernels->pack(pixels + p, kSpkPlanesVector, channels, to.at + p, to.stride);
}

static void store(const tile_work *work, int32_t v) {
  const spk_chain *chain = work->call->chain;
  int32_t to[kSpkPlanesTile];
  pixel_walk walk = start_walk(work);
  for (int32_t p = 0; p < work->pixels; ++p) {
    const int32_t number = next_pixel(work, &walk);
    to[p] = number < 0 ? -1 : number * chain->values[v].channels;
  }
  chain->kernels->store(tile_at(work, v), work->pixels, chain->values[v].channels, to,
                        image_of(work, v));
}

static void run_link(const tile_work *work, const chain_step *step) {
  const spk_chain *chain = work->call->chain;
  const spk_link *link = &chain->links[step->link];
  const chain_kernel *kernel = &chain->kernel_of[step->link];
  spk_planes_tile a = tile_at(work, step->inputs[0]), b = {NULL, 0};
  const spk_planes_tile to = tile_at(work, step->output);
  if (work->pass->band && step == &chain->steps[work->pass->first_step])
    a = (spk_planes_tile){work->tiles + work->pass->band_at + work->first - work->band_first,
                          work->pass->band};
  else
    a.at -= kernel->reach;
  if (link->input_count == 2) b = tile_at(work, step->inputs[1]);
  switch (link->kind) {
    case SPK_LINK_CONV_2D:
      chain->kernels->conv2d(&kernel->conv, a, work->pixels, to);
      break;
    case SPK_LINK_DEPTHWISE:
      chain->kernels->depthwise(&kernel->depthwise, a, work->pixels, to);
      break;
    default:
      chain->kernels->pointwise(link->function, a, b, work->pixels,
                                chain->values[step->output].channels, link->act_min,
                                link->act_max, to);
  }
}

// The places in a tile, and not behind the last pixel, that are no pixels; returns how many.
static int32_t find_gaps(const tile_work *work, int32_t *gaps) {
  const int32_t pitch = work->call->chain->planes.pitch, width = work->pass->width;
  int32_t count = 0, x = work->first % pitch;
  for (int32_t p = 0; p < work->pixels && work->first + p < work->pass->stream; ++p) {
    if (x >= width) gaps[count++] = p;
    if (++x == pitch) x = 0;
  }
  return count;
}

// What is no pixel is zero in whole planes: for windows, and because denormal numbers in old
// memory would make some processors very slow.
static void clear_around(const tile_work *work, int32_t v) {
  const spk_planes *planes = &work->call->chain->planes;
  const chain_value *value = &work->call->chain->values[v];
  const size_t behind = (size_t)(planes->plane - planes->origin - work->pass->stream);
  int32_t gaps[kSpkPlanesTile];
  const int32_t count = find_gaps(work, gaps);
  for (int32_t c = 0; c < value->channels; ++c) {
    float *plane = work->call->planes + value->at + (size_t)c * (size_t)planes->plane;
    float *pixels = plane + planes->origin;
    for (int32_t i = 0; i < count; ++i) pixels[work->first + gaps[i]] = 0.0f;
    if (work->first == 0) memset(plane, 0, (size_t)planes->origin * sizeof(float));
    if (work->is_last) memset(pixels + work->pass->stream, 0, behind * sizeof(float));
  }
}

static void run_tile(const tile_work *work) {
  const spk_chain *chain = work->call->chain;
  for (int32_t s = 0; s < work->pass->step_count; ++s) {
    const chain_step *step = &chain->steps[work->pass->first_step + s];
    if (step->kind == CHAIN_STORE) {
      store(work, step->inputs[0]);
      continue;
    }
    if (step->kind == CHAIN_PACK)
      pack(work, step->output);
    else
      run_link(work, step);
    if (chain->values[step->output].is_whole) clear_around(work, step->output);
  }
}

// Copies what the window of the first link reads for the tiles of a unit.
static void fill_band(const spk_chain_call *call, const chain_pass *pass, int32_t first,
                      float *tiles) {
  const spk_chain *chain = call->chain;
  const chain_step *step = &chain->steps[pass->first_step];
  const chain_value *value = &chain->values[step->inputs[0]];
  const chain_kernel *kernel = &chain->kernel_of[step->link];
  const int32_t left = pass->stream - first, most = pass->unit * pass->tile;
  const int32_t pixels = (left < most ? left : most) + kSpkPlanesVector - 1;
  const float *from = call->planes + value->at + chain->planes.origin + first - kernel->reach;
  for (int32_t c = 0; c < value->channels; ++c)
    memcpy(tiles + pass->band_at + (size_t)c * (size_t)pass->band,
           from + (size_t)c * (size_t)chain->planes.plane,
           (size_t)(pixels + kernel->span) * sizeof(float));
}

static void run_unit(const spk_chain_call *call, const chain_pass *pass, int32_t unit,
                     float *tiles) {
  const int32_t begin = unit * pass->unit * pass->tile;
  if (pass->band) fill_band(call, pass, begin, tiles);
  for (int32_t i = 0; i < pass->unit; ++i) {
    tile_work work = {.call = call,
                      .pass = pass,
                      .tiles = tiles,
                      .first = begin + i * pass->tile,
                      .band_first = begin};
    const int32_t left = pass->stream - work.first;
    if (left <= 0) return;
    work.is_last = left <= pass->tile;
    work.pixels = work.is_last
                      ? (left + kSpkPlanesVector - 1) / kSpkPlanesVector * kSpkPlanesVector
                      : pass->tile;
    run_tile(&work);
  }
}

void spk_chain_run(const spk_chain_call *call, int32_t pass, int32_t begin, int32_t end,
                   float *tiles) {
  for (int32_t unit = begin; unit < end; ++unit)
    run_unit(call, &call->chain->passes[pass], unit, tiles);
}
