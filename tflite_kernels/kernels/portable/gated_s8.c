// Gathering live channels and scattering their outputs (see spk/gated_s8.h).
#include "spk/gated_s8.h"

#include <string.h>

// A part of the scratch memory, which begins at `base`, or NULL where only its
// size is asked.
static void *take(uint8_t *base, size_t *used, size_t bytes) {
  void *taken = base != NULL ? base + *used : NULL;
  *used += (bytes + 3) & ~(size_t)3;
  return taken;
}

static size_t in_pixels(const spk_window2d *w) { return (size_t)w->in_h * (size_t)w->in_w; }

static size_t out_pixels(const spk_window2d *w) { return (size_t)w->out_h * (size_t)w->out_w; }

typedef struct parts {
  int32_t *multiplier, *shift, *bias;
  int16_t *in, *out, *place;
  int8_t *gate, *input, *output;
  uint8_t *weights, *kernel;
  size_t bytes;
} parts;

static parts divide(const spk_gated *g, uint8_t *base) {
  const size_t in = (size_t)g->most_in, out = (size_t)g->most_out;
  size_t used = 0;
  parts p;
  p.multiplier = take(base, &used, 4 * out);
  p.shift = take(base, &used, 4 * out);
  p.bias = take(base, &used, 4 * out);
  p.in = take(base, &used, 2 * in);
  p.out = take(base, &used, 2 * out);
  p.place = take(base, &used, 2 * (size_t)g->window->in_c);
  p.gate = take(base, &used, out);
  p.input = take(base, &used, in < (size_t)g->window->in_c ? in * in_pixels(g->window) : 0);
  p.output = take(base, &used, g->mul != NULL ? out * out_pixels(g->window) : 0);
  p.weights = take(base, &used, (size_t)g->weight_bytes);
  p.kernel = take(base, &used, (size_t)g->kernel_scratch);
  p.bytes = used;
  return p;
}

size_t spk_conv2d_s8_gated__c_scratch(const spk_gated *g) { return divide(g, NULL).bytes; }

// Lists the channels whose gate is not `zero`, all without a gate.
static int32_t live_channels(const int8_t *gate, int32_t zero, int32_t channels, int32_t most,
                             int16_t *list) {
  int32_t count = 0;
  for (int32_t c = 0; c < channels && count < most; ++c) {
    if (gate == NULL || gate[c] != zero) list[count++] = (int16_t)c;
  }
  return count;
}

static void gather_input(const int8_t *input, size_t pixels, int32_t channels,
                         const int16_t *live, int32_t count, int8_t *gathered) {
  for (size_t p = 0; p < pixels; ++p, input += channels) {
    for (int32_t i = 0; i < count; ++i) *gathered++ = input[live[i]];
  }
}

static void gather_parameters(const spk_requant *q, const int32_t *bias, const spk_live *live,
                              const parts *p) {
  for (int32_t i = 0; i < live->window.out_c; ++i) {
    const int32_t c = live->out[i];
    p->multiplier[i] = q->multiplier[c];
    p->shift[i] = q->shift[c];
    p->bias[i] = bias != NULL ? bias[c] : 0;
  }
}

spk_live spk_gather_live_s8(const spk_gated *g, const int8_t *input, const int8_t *in_gate,
                            const int32_t *bias, const int8_t *out_gate, int8_t *output,
                            void *scratch) {
  const spk_window2d *w = g->window;
  const parts p = divide(g, scratch);
  const int32_t out_zero = g->mul != NULL ? -g->mul->b_offset : 0;
  spk_live live = {.window = *w, .requant = *g->requant, .bias = p.bias, .input = input};
  live.window.in_c = live_channels(in_gate, g->in_zero, w->in_c, g->most_in, p.in);
  if (live.window.in_c == 0) {
    p.in[0] = 0;  // kernels need a channel; it holds the zero point
    live.window.in_c = 1;
  }
  live.window.out_c = live_channels(out_gate, out_zero, w->out_c, g->most_out, p.out);
  live.in = p.in;
  live.out = p.out;
  live.place = p.place;
  live.gate = p.gate;
  live.weights = p.weights;
  live.scratch = p.kernel;
  live.output = g->mul != NULL ? p.output : output;
  live.requant.multiplier = p.multiplier;
  live.requant.shift = p.shift;
  memset(p.place, -1, 2 * (size_t)w->in_c);
  for (int32_t i = 0; i < live.window.in_c; ++i) p.place[p.in[i]] = (int16_t)i;
  if (out_gate != NULL) {
    for (int32_t i = 0; i < live.window.out_c; ++i) p.gate[i] = out_gate[p.out[i]];
  }
  gather_parameters(g->requant, bias, &live, &p);
  if (in_gate != NULL) {
    gather_input(input, in_pixels(w), w->in_c, p.in, live.window.in_c, p.input);
    live.input = p.input;
  }
  return live;
}

void spk_scatter_live_s8(const spk_gated *g, const spk_live *live, int8_t *output) {
  const int32_t channels = g->window->out_c, count = live->window.out_c;
  const size_t pixels = out_pixels(g->window);
  spk_mul mul = *g->mul;
  mul.period = count;
  mul.size = (int32_t)pixels * count;
  const int32_t low = mul.act_min, high = mul.act_max, zero = mul.output_offset;
  memset(output, zero < low ? low : zero > high ? high : zero, pixels * (size_t)channels);
  if (count == 0) return;
  spk_mul_s8__ref(&mul, live->output, live->gate, live->output);
  const int8_t *from = live->output;
  for (size_t p = 0; p < pixels; ++p, output += channels) {
    for (int32_t i = 0; i < count; ++i) output[live->out[i]] = *from++;
  }
}
