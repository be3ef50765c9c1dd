// CONV_2D between gates, int8, dense weights (see spk/gated_s8.h).
#include <string.h>

#include "spk/gated_s8.h"

static void gather_row(const spk_live *live, int32_t taps, int32_t channels, const int8_t *row,
                       int8_t *gathered) {
  const int32_t count = live->window.in_c;
  if (count == channels) {
    memcpy(gathered, row, (size_t)taps * (size_t)channels);
    return;
  }
  for (int32_t t = 0; t < taps; ++t, row += channels) {
    for (int32_t i = 0; i < count; ++i) *gathered++ = row[live->in[i]];
  }
}

void spk_conv2d_s8_gated_dense__c(const spk_gated *g, spk_conv2d_s8_dense *kernel,
                                  const int8_t *input, const int8_t *in_gate,
                                  const int8_t *weights, const int32_t *bias,
                                  const int8_t *out_gate, int8_t *output, void *scratch) {
  const spk_live live = spk_gather_live_s8(g, input, in_gate, bias, out_gate, output, scratch);
  const spk_window2d *w = &live.window;
  const int32_t taps = w->kernel_h * w->kernel_w, channels = g->window->in_c;
  int8_t *gathered = (int8_t *)live.weights;
  for (int32_t i = 0; i < w->out_c; ++i, gathered += taps * w->in_c) {
    const int8_t *row = weights + (ptrdiff_t)live.out[i] * taps * channels;
    gather_row(&live, taps, channels, row, gathered);
  }
  if (w->out_c > 0) {
    kernel(w, &live.requant, live.input, (const int8_t *)live.weights, live.bias, live.output,
           live.scratch);
  }
  if (g->mul != NULL) spk_scatter_live_s8(g, &live, output);
}
