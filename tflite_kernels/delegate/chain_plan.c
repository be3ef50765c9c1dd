#include "delegate/chain_plan.h"

#include <stdlib.h>
#include <string.h>

// What the convolutions of a tile read should stay in the first-level cache, or near it.
enum { kTileBytes = 48 * 1024, kTileBytesS8 = 96 * 1024, kSmallestTile = 32 };

// The copies that windows read should stay in the second-level cache.
enum { kBandBytes = 256 * 1024, kMostUnit = 4 };

static int32_t max_i32(int32_t a, int32_t b) { return a > b ? a : b; }

static int32_t add_pass(spk_chain *chain, const chain_value *made) {
  chain->passes[chain->pass_count] =
      (chain_pass){.layout = made->layout, .height = made->height, .width = made->width};
  return chain->pass_count++;
}

// Says in which pass each value is made, and which are whole. Pass `of[i]` runs link i.
static void assign_passes(spk_chain *chain, int32_t *of) {
  for (int32_t v = 0; v < chain->value_count; ++v) {
    chain_value *value = &chain->values[v];
    if (value->producer >= 0 || !value->is_windowed) continue;
    value->pass = add_pass(chain, value);
    value->is_whole = true;
  }
  int32_t current = -1;
  for (int32_t i = 0; i < chain->link_count; ++i) {
    const spk_link *link = &chain->links[i];
    const spk_window2d *w = &chain->windows[i];
    const chain_value *made = &chain->values[spk_chain_find_value(chain, link->output)];
    bool is_new = current < 0 || chain->passes[current].layout != made->layout ||
                  chain->passes[current].height != w->out_h ||
                  chain->passes[current].width != w->out_w;
    for (int32_t j = 0; j < link->input_count; ++j)
      is_new |= spk_is_windowed(link, w) &&
                chain->values[spk_chain_find_value(chain, link->inputs[j])].pass == current;
    is_new |= link->kind == SPK_LINK_CONV_2D && spk_is_windowed(link, w);
    if (is_new) current = add_pass(chain, made);
    for (int32_t j = 0; j < link->input_count; ++j) {
      chain_value *input = &chain->values[spk_chain_find_value(chain, link->inputs[j])];
      if (input->pass < 0) input->pass = current;
      if (input->pass != current || spk_is_windowed(link, w)) input->is_whole = true;
      input->last_pass = current;
    }
    chain->values[spk_chain_find_value(chain, link->output)].pass = current;
    of[i] = current;
  }
}

static void add_step(spk_chain *chain, chain_pass *pass, chain_step step) {
  chain->steps[pass->first_step + pass->step_count++] = step;
  ++chain->step_count;
}

static void add_steps(spk_chain *chain, const int32_t *of) {
  for (int32_t p = 0; p < chain->pass_count; ++p) {
    chain_pass *pass = &chain->passes[p];
    pass->first_step = chain->step_count;
    for (int32_t v = 0; v < chain->value_count; ++v)
      if (chain->values[v].producer < 0 && chain->values[v].pass == p)
        add_step(chain, pass, (chain_step){.kind = CHAIN_PACK, .output = v});
    for (int32_t i = 0; i < chain->link_count; ++i) {
      if (of[i] != p) continue;
      const spk_link *link = &chain->links[i];
      chain_step step = {.kind = CHAIN_LINK, .link = i};
      for (int32_t j = 0; j < link->input_count; ++j) {
        step.inputs[j] = spk_chain_find_value(chain, link->inputs[j]);
        chain->values[step.inputs[j]].last_step = pass->step_count;
      }
      step.output = spk_chain_find_value(chain, link->output);
      chain->values[step.output].last_step = pass->step_count;
      add_step(chain, pass, step);
      if (chain->values[step.output].leaves) {
        chain->values[step.output].last_step = pass->step_count;
        add_step(chain, pass, (chain_step){.kind = CHAIN_STORE, .inputs = {step.output}});
      }
    }
  }
}

// In which passes, or steps of its pass, a value needs its place.
static void lifetime(const spk_chain *chain, int32_t v, int32_t *from, int32_t *to) {
  const chain_value *value = &chain->values[v];
  if (value->is_whole) {
    *from = value->pass;
    *to = max_i32(value->pass, value->last_pass);
    return;
  }
  const chain_pass *pass = &chain->passes[value->pass];
  for (*from = 0; *from < pass->step_count; ++*from) {
    const chain_step *step = &chain->steps[pass->first_step + *from];
    if (step->kind != CHAIN_STORE && step->output == v) break;
  }
  *to = value->last_step;
}

static size_t words_of(const spk_chain *chain, int32_t v) {
  const chain_value *value = &chain->values[v];
  const size_t planes = ((size_t)value->planes + 3) / 4 * 4;  // whole blocks
  return planes * (size_t)(value->is_whole ? chain->layouts[value->layout].plane
                                           : (int32_t)kSpkPlanesTileStride);
}

// The lowest place that no value needs at the same time; returns where it ends.
static size_t place(spk_chain *chain, int32_t v) {
  chain_value *value = &chain->values[v];
  const size_t size = words_of(chain, v);
  int32_t from, to, other_from, other_to;
  lifetime(chain, v, &from, &to);
  value->at = 0;
  for (int32_t i = 0; i < v; ++i) {
    const chain_value *other = &chain->values[i];
    if (other->is_whole != value->is_whole || (!value->is_whole && other->pass != value->pass))
      continue;
    lifetime(chain, i, &other_from, &other_to);
    if (other_to < from || to < other_from || other->at >= value->at + size ||
        value->at >= other->at + words_of(chain, i))
      continue;
    value->at = other->at + words_of(chain, i);
    i = -1;  // behind that one: look at all of them again
  }
  return value->at + size;
}

static void place_values(spk_chain *chain) {
  for (int32_t v = 0; v < chain->value_count; ++v) {
    const size_t end = place(chain, v);
    size_t *most = chain->values[v].is_whole ? &chain->planes_words : &chain->tile_words;
    if (end > *most) *most = end;
  }
}

// The largest tile of which convolutions of one pixel can read all channels in the cache.
static int32_t fitting_tile(const spk_chain *chain, const chain_pass *pass) {
  int32_t planes = 1;
  for (int32_t s = 0; s < pass->step_count; ++s) {
    const chain_step *step = &chain->steps[pass->first_step + s];
    if (step->kind == CHAIN_LINK && chain->links[step->link].kind == SPK_LINK_CONV_2D &&
        !spk_is_windowed(&chain->links[step->link], &chain->windows[step->link]))
      planes = max_i32(planes, chain->values[step->inputs[0]].planes);
  }
  const int32_t bytes = chain->kernels->channels > 1 ? kTileBytesS8 : kTileBytes;
  const int32_t fitting = bytes / kSpkPlanesWord / planes;
  return fitting >= kSpkPlanesTile ? kSpkPlanesTile
         : fitting >= 64           ? 64
         : fitting >= 48           ? 48
                                   : kSmallestTile;
}

// The convolution with a window that begins the pass, or NULL.
static const chain_step *window_of(const spk_chain *chain, const chain_pass *pass) {
  const chain_step *step = &chain->steps[pass->first_step];
  return step->kind == CHAIN_LINK && chain->links[step->link].kind == SPK_LINK_CONV_2D &&
                 spk_is_windowed(&chain->links[step->link], &chain->windows[step->link])
             ? step
             : NULL;
}

static void size_passes(spk_chain *chain) {
  const size_t tiles = chain->tile_words;
  for (int32_t p = 0; p < chain->pass_count; ++p) {
    chain_pass *pass = &chain->passes[p];
    const chain_step *head = window_of(chain, pass);
    pass->tile = fitting_tile(chain, pass);
    const spk_planes *planes = &chain->layouts[pass->layout];
    pass->stream = (pass->height - 1) * planes->pitch + pass->width;
    pass->unit = 1;
    if (!head) continue;
    const spk_window2d *w = &chain->windows[head->link];
    const int32_t span =
        (w->kernel_h - 1) * w->dilation_h * planes->pitch + (w->kernel_w - 1) * w->dilation_w;
    int64_t lines;
    for (pass->unit = kMostUnit;; --pass->unit) {
      lines = ((int64_t)pass->unit * pass->tile + span + 2 * kSpkPlanesVector - 1) /
                  kSpkPlanesVector |
              1;
      if (lines * kSpkPlanesVector * w->in_c * kSpkPlanesWord <= kBandBytes || pass->unit == 1)
        break;
    }
    if (lines * kSpkPlanesVector > planes->plane) continue;  // no smaller than the planes
    pass->band = (int32_t)lines * kSpkPlanesVector;
    pass->band_at = tiles;
    const size_t end = tiles + (size_t)pass->band * (size_t)w->in_c;
    if (end > chain->tile_words) chain->tile_words = end;
  }
}

static const char *make_plan(spk_chain *chain, const spk_chain_layer *layers,
                             const int *leaving, int32_t leaving_count) {
  int32_t of[kSpkMostLinks], most_channels = 1;
  const char *reason = spk_chain_find_values(chain, layers, leaving, leaving_count);
  if (reason) return reason;
  if (!spk_chain_lay_out(chain)) return "its planes are too large";
  assign_passes(chain, of);
  add_steps(chain, of);
  for (int32_t v = 0; v < chain->value_count; ++v)
    most_channels = max_i32(most_channels, chain->values[v].channels);
  place_values(chain);
  size_passes(chain);
  chain->zeros = calloc((size_t)most_channels, sizeof(float));  // of any type
  return chain->zeros ? NULL : "memory is short";
}

spk_chain *spk_chain_create(const spk_link *links, const spk_chain_layer *layers, int32_t count,
                            const int *leaving, int32_t leaving_count, const char **reason) {
  const spk_planes_kernels *kernels = spk_planes_kernels_here(layers[0].layer.dtype);
  spk_chain *chain = kernels && count <= kSpkMostLinks ? calloc(1, sizeof(*chain)) : NULL;
  *reason = "memory is short";
  if (!chain) return NULL;
  chain->kernels = kernels;
  chain->link_count = count;
  memcpy(chain->links, links, sizeof(*links) * (size_t)count);
  for (int32_t i = 0; i < count; ++i) {
    const spk_window2d *w = &layers[i].layer.window;
    chain->windows[i] = spk_unrolls(&links[i], w) ? spk_unrolled(w) : *w;
    chain->requants[i] = layers[i].layer.requant;
    chain->requants[i].output_offset += 128;  // planes hold x + 128
    chain->requants[i].act_min += 128;
    chain->requants[i].act_max += 128;
  }
  *reason = make_plan(chain, layers, leaving, leaving_count);
  if (!*reason) *reason = spk_chain_pack(chain, layers);
  if (!*reason) return chain;
  spk_chain_destroy(chain);
  return NULL;
}

void spk_chain_destroy(spk_chain *chain) {
  if (!chain) return;
  for (int32_t i = 0; i < chain->link_count; ++i)
    for (int j = 0; j < 3; ++j) free(chain->memory[i][j]);
  free(chain->zeros);
  free(chain);
}

int32_t spk_chain_passes(const spk_chain *chain) { return chain->pass_count; }

int32_t spk_chain_units(const spk_chain *chain, int32_t pass) {
  const chain_pass *p = &chain->passes[pass];
  return (p->stream - 1) / (p->tile * p->unit) + 1;
}

size_t spk_chain_planes_bytes(const spk_chain *chain) {
  return chain->planes_words * kSpkPlanesWord;
}

size_t spk_chain_tile_bytes(const spk_chain *chain) {
  return chain->tile_words * kSpkPlanesWord;
}
