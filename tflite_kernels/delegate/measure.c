#define _POSIX_C_SOURCE 200809L

#include "delegate/measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { kLeastRuns = 3, kMostRuns = 1000, kAlign = 64 };
static const double kBudget = 1e6;           // nanoseconds
static const size_t kMostBytes = 256 << 20;  // of all buffers

double spk_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static size_t rounded(size_t bytes) { return (bytes + kAlign) / kAlign * kAlign; }

// Small numbers of both signs; no zeros, which some kernels skip.
static void fill(void *values, size_t count, spk_dtype dtype) {
  uint32_t state = 1;
  for (size_t i = 0; i < count; ++i) {
    state = state * 1664525u + 1013904223u;
    const int32_t number = (int32_t)(state >> 24) - 128;
    if (dtype == SPK_F32)
      ((float *)values)[i] = (float)number / 128.0f + 0.001f;
    else
      ((int8_t *)values)[i] = (int8_t)(number ? number : 1);
  }
}

// The layer may not have its parameters yet; the time does not depend on their values.
static int32_t *stand_in(spk_layer *layer) {
  const int32_t channels = layer->window.out_c;
  int32_t *factors = malloc(2 * sizeof(int32_t) * (size_t)channels);
  for (int32_t c = 0; factors && c < channels; ++c) {
    factors[c] = 1 << 30;
    factors[channels + c] = -8;
  }
  layer->bias = NULL;
  layer->threads = 1;
  layer->act_min = -INFINITY;
  layer->act_max = INFINITY;
  layer->requant = (spk_requant){.multiplier = factors,
                                 .shift = factors ? factors + channels : NULL,
                                 .act_min = -128,
                                 .act_max = 127};
  return factors;
}

static double shortest_run(const spk_kernel *kernel, const spk_args *args) {
  double shortest = 0, spent = 0;
  for (int i = 0; i < kMostRuns && (i < kLeastRuns || spent < kBudget); ++i) {
    const double begin = spk_now();
    kernel->run(args);
    const double nanoseconds = spk_now() - begin;
    spent += nanoseconds;
    if (i == 0 && nanoseconds > kBudget) return nanoseconds;
    if (i == 1 || nanoseconds < shortest) shortest = nanoseconds;  // the first one warms up
  }
  return shortest;
}

double spk_measure_kernel(const spk_kernel *kernel, const spk_layer *original,
                          const void *weights) {
  spk_layer layer = *original;
  const spk_window2d *w = &layer.window;
  const size_t element = layer.dtype == SPK_F32 ? sizeof(float) : 1;
  const size_t inputs = (size_t)w->batch * (size_t)w->in_h * (size_t)w->in_w * (size_t)w->in_c;
  const size_t outputs =
      (size_t)w->batch * (size_t)w->out_h * (size_t)w->out_w * (size_t)w->out_c;
  int32_t *factors = stand_in(&layer);
  const size_t packed_bytes = kernel->pack_size(&layer, weights);
  if (!factors || packed_bytes == 0 || packed_bytes > kMostBytes) {
    free(factors);
    return 0;
  }
  const size_t parts[4] = {rounded(packed_bytes), rounded(inputs * element),
                           rounded(outputs * element), rounded(kernel->scratch(&layer))};
  const size_t total = parts[0] + parts[1] + parts[2] + parts[3];
  uint8_t *memory = total > kMostBytes ? NULL : aligned_alloc(kAlign, total);
  double nanoseconds = 0;
  if (memory && kernel->pack(&layer, weights, memory, packed_bytes) == SPK_OK) {
    uint8_t *input = memory + parts[0], *output = input + parts[1];
    memset(output, 0, parts[2] + parts[3]);
    fill(input, inputs, layer.dtype);
    const spk_args args = {.layer = &layer,
                           .packed = memory,
                           .input = input,
                           .output = output,
                           .scratch = output + parts[2],
                           .begin = 0,
                           .end = kernel->units(&layer)};
    nanoseconds = shortest_run(kernel, &args);
  }
  free(memory);
  free(factors);
  return nanoseconds;
}
