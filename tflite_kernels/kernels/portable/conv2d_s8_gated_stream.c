// CONV_2D between gates, int8, sparse stream (see spk/gated_s8.h).
//
// Of a live row the pairs of live channels are kept. The gaps that others leave
// add up; they need no more bytes than those had.
#include "spk/gated_s8.h"

enum { kMaxGap = 255 };

static uint8_t *put(uint8_t *out, int32_t gap, uint8_t weight) {
  for (; gap > kMaxGap; gap -= kMaxGap) {
    *out++ = kMaxGap;
    *out++ = 0;
  }
  *out++ = (uint8_t)gap;
  *out++ = weight;
  return out;
}

// `stream` points at the first of `pairs`; returns the end of the row that was
// written.
static uint8_t *gather_row(const spk_live *live, int32_t channels, const uint8_t *stream,
                           int32_t pairs, uint8_t *row) {
  uint8_t *out = row + 2;
  int32_t channel = 0, tap = 0,
          last = 0;  // `tap` counts columns of the smaller convolution
  for (; pairs > 0; --pairs, stream += 2) {
    for (channel += stream[0]; channel >= channels; channel -= channels) {
      tap += live->window.in_c;
    }
    if (stream[1] == 0 || live->place[channel] < 0) continue;
    const int32_t column = tap + live->place[channel];
    out = put(out, column - last, stream[1]);
    last = column;
  }
  const int32_t kept = (int32_t)((out - row) / 2) - 1;
  row[0] = (uint8_t)(kept & 0xff);
  row[1] = (uint8_t)(kept >> 8);
  return out;
}

void spk_conv2d_s8_gated_stream__c(const spk_gated *g, spk_conv2d_s8_stream *kernel,
                                   const int8_t *input, const int8_t *in_gate,
                                   const uint8_t *stream, const int32_t *bias,
                                   const int8_t *out_gate, int8_t *output, void *scratch) {
  const spk_live live = spk_gather_live_s8(g, input, in_gate, bias, out_gate, output, scratch);
  uint8_t *row = live.weights;
  for (int32_t c = 0, i = 0; i < live.window.out_c; ++c) {
    const int32_t pairs = stream[0] | stream[1] << 8;
    if (c == live.out[i]) {
      row = gather_row(&live, g->window->in_c, stream + 2, pairs, row);
      ++i;
    }
    stream += 2 + 2 * pairs;
  }
  if (live.window.out_c > 0) {
    kernel(&live.window, &live.requant, live.input, live.weights, live.bias, live.output,
           live.scratch);
  }
  if (g->mul != NULL) spk_scatter_live_s8(g, &live, output);
}
