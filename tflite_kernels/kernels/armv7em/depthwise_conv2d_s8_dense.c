// DEPTHWISE_CONV_2D, int8, dense, for Arm cores with the DSP extension.
#include "spk/depthwise_armv7em.h"
#include "spk/kernels_s8.h"

#if SPK_ARMV7EM

#include <string.h>

enum {
  CHANNELS = 4 /* packed together */,
  MOST_BYTES = 6144 /* of their planes, if need be more */
};

// One of the two axes of an image; steps are in bytes.
typedef struct axis {
  int32_t in, out, kernel, stride, dilation, pad, in_step, out_step, weight_step;
} axis;

// Tiles lie along one axis, the line; the two pixels of a word lie on the other, the pair,
// `apart` outputs from each other.
typedef struct planes {
  const spk_window2d *w;
  const spk_requant *q;
  axis line, pair;
  int32_t apart, lines;  // outputs between two lanes; outputs of a lane across the lines
  int32_t phase, row;    // words of a phase of a row (see below), words of a row
  int32_t rows_at_once;  // lines that planes are packed for
  int32_t plane;         // words of a plane
  int32_t by_5, by_4;    // tiles of a line
  int is_nine;           // 3x3 taps on neighbouring words
  int32_t *words;        // (CHANNELS, plane)
  int32_t *taps;         // pairs of distance and weight
  int8_t *nothing;       // CHANNELS inputs that are zero points
} planes;

static axis vertical(const spk_window2d *w) {
  const axis a = {
      w->in_h,    w->out_h,          w->kernel_h,         w->stride_h,           w->dilation_h,
      w->pad_top, w->in_w * w->in_c, w->out_w * w->out_c, w->kernel_w * w->out_c};
  return a;
}

static axis horizontal(const spk_window2d *w) {
  const axis a = {w->in_w,     w->out_w, w->kernel_w, w->stride_w, w->dilation_w,
                  w->pad_left, w->in_c,  w->out_c,    w->out_c};
  return a;
}

static int32_t reach(const axis *a) { return (a->kernel - 1) * a->dilation + 1; }

static int is_nine_taps(const axis *line, const axis *pair) {
  return line->kernel == 3 && pair->kernel == 3 && line->stride == 1 && line->dilation == 1;
}

// Tiles of five where that leaves no output over.
static int32_t tiles_by_5(const axis *line, const axis *pair) {
  const int32_t left = line->out % 4;
  return is_nine_taps(line, pair) && 5 * left <= line->out ? left : 0;
}

static int32_t tiles(const axis *line, const axis *pair) {
  const int32_t by_5 = tiles_by_5(line, pair);
  return ((pair->out + 1) / 2) * (by_5 + (line->out - 5 * by_5 + 3) / 4);
}

static void choose_axes(const spk_window2d *w, axis *line, axis *pair) {
  const axis x = horizontal(w), y = vertical(w);
  const int along_x = y.out < 4 || (x.out >= 4 && tiles(&x, &y) <= tiles(&y, &x));
  *line = along_x ? x : y;
  *pair = along_x ? y : x;
}

// With a stride s, a row of words holds first every s-th pixel from 0 on, a phase, then
// those from 1 on ...: so the pixels that one tap reads for neighbouring outputs are
// neighbours too.
static void plan(const spk_window2d *w, planes *p) {
  choose_axes(w, &p->line, &p->pair);
  const axis *const line = &p->line, *const pair = &p->pair;
  p->w = w;
  p->is_nine = is_nine_taps(line, pair);
  p->by_5 = tiles_by_5(line, pair);
  p->by_4 = (line->out - 5 * p->by_5 + 3) / 4;
  p->lines = (pair->out + 1) / 2;
  p->apart = pair->out - p->lines;
  p->phase = line->out + (reach(line) - 1) / line->stride;
  p->row = p->phase * line->stride;
  const int32_t most = MOST_BYTES / (CHANNELS * (int32_t)sizeof(int32_t) * p->row);
  const int32_t lines = (most - reach(pair)) / pair->stride + 1;
  p->rows_at_once = most < reach(pair) ? 1 : lines < p->lines ? lines : p->lines;
  p->plane = ((p->rows_at_once - 1) * pair->stride + reach(pair)) * p->row;
}

// The kernel below needs a tile's width, and sums that fit into a low lane.
static int is_suited(const spk_window2d *w) {
  return (w->out_w >= 4 || w->out_h >= 4) && w->kernel_h * w->kernel_w <= SPK_MOST_TAPS;
}

// Channels, planes, taps, inputs in the padding; or what the portable kernel wants.
size_t spk_depthwise_conv2d_s8_dense__armv7em_scratch(const spk_window2d *w) {
  const size_t portable = spk_depthwise_conv2d_s8_dense__c_scratch(w);
  if (!is_suited(w)) return portable;
  planes p;
  plan(w, &p);
  const size_t own = (size_t)w->out_c * sizeof(spk_channel) + CHANNELS +
                     sizeof(int32_t) * ((size_t)CHANNELS * (size_t)p.plane +
                                        2 * (size_t)(w->kernel_h * w->kernel_w));
  return own > portable ? own : portable;
}

static void plan_taps(const planes *p) {
  int32_t *tap = p->taps, last = 0;
  for (int32_t i = 0; i < p->pair.kernel; ++i) {
    for (int32_t j = 0; j < p->line.kernel; ++j, tap += 2) {
      const int32_t along = j * p->line.dilation;
      const int32_t at = i * p->pair.dilation * p->row + along % p->line.stride * p->phase +
                         along / p->line.stride;
      tap[0] = (at - last) * (int32_t)sizeof(int32_t);
      last = at;
    }
  }
}

// The pixels of a phase of one row: from the word `first` on, `count` pixels from x on.
typedef struct phase {
  int32_t first, x, count;
} phase;

static phase phase_of(const planes *p, int32_t number) {
  const axis *const line = &p->line;
  const int32_t behind = line->pad > number ? line->pad - number : 0;
  const int32_t first = (behind + line->stride - 1) / line->stride;
  const int32_t x = number + first * line->stride - line->pad;
  const int32_t inside = x < line->in ? (line->in - x + line->stride - 1) / line->stride : 0;
  const int32_t room = p->phase - first;
  const phase found = {number * p->phase + first, x, inside < room ? inside : room};
  return found;
}

// Any number of channels up to CHANNELS.
static void pack_few(const planes *p, const int8_t *low, const int8_t *high, int32_t low_step,
                     int32_t high_step, int32_t count, int32_t channels, int32_t *words) {
  const int32_t offset = p->q->input_offset;
  for (; count > 0; --count, low += low_step, high += high_step, ++words) {
    for (int32_t c = 0; c < channels; ++c) {
      words[c * p->plane] = low[c] + offset + (high[c] + offset) * (1 << 23);
    }
  }
}

// A phase of all rows under some lines; `y` is the first row.
static void pack_phase(const planes *p, const int8_t *input, const phase *f, int32_t y,
                       int32_t rows, int32_t channels) {
  const axis *const line = &p->line, *const pair = &p->pair;
  const int32_t step = line->stride * line->in_step, in_step = pair->in_step, in = pair->in;
  const int32_t other = p->apart * pair->stride, both = p->q->input_offset * ((1 << 23) + 1);
  const int32_t plane_bytes = p->plane * (int32_t)sizeof(int32_t);
  const int8_t *from = input + (ptrdiff_t)y * in_step + (ptrdiff_t)f->x * line->in_step;
  int32_t *words = p->words + f->first;
  for (; rows > 0; --rows, ++y, from += in_step, words += p->row) {
    const int has_low = (uint32_t)y < (uint32_t)in,
              has_high = (uint32_t)(y + other) < (uint32_t)in;
    const int8_t *const low = has_low ? from : p->nothing;
    const int8_t *const high = has_high ? from + (ptrdiff_t)other * in_step : p->nothing;
    const int32_t low_step = has_low ? step : 0, high_step = has_high ? step : 0;
    if (channels == CHANNELS) {
      spk_pack_planes__armv7em(low, high, low_step, high_step, both, f->count, words,
                               plane_bytes);
    } else {
      pack_few(p, low, high, low_step, high_step, f->count, channels, words);
    }
  }
}

// The pixels of `channels` neighbouring channels under some lines.
static void pack_planes(const planes *p, const int8_t *input, int32_t first_line, int32_t lines,
                        int32_t channels) {
  const axis *const pair = &p->pair;
  const int32_t rows = (lines - 1) * pair->stride + reach(pair);
  for (int32_t number = 0; number < p->line.stride; ++number) {
    const phase f = phase_of(p, number);
    if (f.count <= 0) continue;
    pack_phase(p, input, &f, first_line * pair->stride - pair->pad, rows, channels);
  }
}

// Copies the taps of one channel, shifted.
static void place_weights(const planes *p, const int8_t *weights, spk_depthwise_lines *job) {
  const int32_t down = p->pair.weight_step, right = p->line.weight_step;
  if (p->is_nine) {
    for (int32_t *to = job->weights; to < job->weights + 9; to += 3, weights += down) {
      to[0] = weights[0] * (1 << 10);
      to[1] = weights[right] * (1 << 10);
      to[2] = weights[2 * right] * (1 << 10);
    }
    return;
  }
  int32_t *tap = p->taps + 1;
  for (int32_t i = 0; i < p->pair.kernel; ++i, weights += down) {
    const int8_t *weight = weights;
    for (int32_t j = 0; j < p->line.kernel; ++j, tap += 2, weight += right) {
      *tap = *weight * (1 << 10);
    }
  }
}

// Tiles of one width, `count` of them in every line from output `first` on.
SPK_INLINE void multiply(const planes *p, spk_depthwise_lines *job, const int32_t *words,
                         int8_t *output, int32_t first, int32_t width, int32_t count) {
  const axis *const line = &p->line, *const pair = &p->pair;
  job->x = words + first;
  job->x_end = job->x + count * width;
  job->low = output + (ptrdiff_t)first * line->out_step;
  job->high = job->low + (ptrdiff_t)p->apart * pair->out_step;
  job->tile_step = width * line->out_step;
  job->next_x = job->line - count * width * (int32_t)sizeof(int32_t);
  job->next_output = pair->out_step - count * job->tile_step;
  if (!p->is_nine) {
    spk_depthwise_taps_by_4__armv7em(job);
  } else if (width == 4) {
    spk_depthwise_3x3_by_4__armv7em(job);
  } else {
    spk_depthwise_3x3_by_5__armv7em(job);
  }
}

static void one_channel(const planes *p, spk_depthwise_lines *job, const spk_channel *channel,
                        const int32_t *words, int8_t *output) {
  for (int i = 0; i < 5; ++i) job->start[2 * i + 1] = channel->high;
  job->low_bias = channel->high;
  job->multiplier = channel->multiplier;
  job->offset = channel->offset;
  job->right = channel->right;
  const int32_t most = (p->line.out - 5 * p->by_5) / 4;  // that do not stick out
  const int32_t fives = 4 * most;
  if (most > 0) multiply(p, job, words, output, 0, 4, most);
  if (p->by_5 > 0) multiply(p, job, words, output, fives, 5, p->by_5);
  if (p->by_4 > most) multiply(p, job, words, output, p->line.out - 4, 4, 1);
}

static void one_band(const planes *p, spk_depthwise_lines *job, const spk_channel *channels,
                     const int8_t *input, const int8_t *weights, int8_t *output,
                     int32_t first_line) {
  const spk_window2d *const w = p->w;
  const int32_t multiplier = w->out_c / w->in_c;
  const int32_t left = p->lines - first_line;
  job->lines = left < p->rows_at_once ? left : p->rows_at_once;
  output += (ptrdiff_t)first_line * p->pair.out_step;
  const int32_t lines = job->lines;
  for (int32_t c = 0; c < w->in_c; ++c) {
    const int32_t place = c % CHANNELS;
    if (place == 0) {
      const int32_t rest = w->in_c - c;
      pack_planes(p, input + c, first_line, lines, rest < CHANNELS ? rest : CHANNELS);
    }
    for (int32_t m = c * multiplier; m < (c + 1) * multiplier; ++m) {
      place_weights(p, weights + m, job);
      one_channel(p, job, &channels[m], p->words + place * p->plane, output + m);
    }
  }
}

static void all_bands(planes *p, const spk_channel *channels, const int8_t *input,
                      const int8_t *weights, int8_t *output) {
  spk_depthwise_lines job = {.step = p->line.out_step,
                             .row = p->pair.dilation * p->row * (int32_t)sizeof(int32_t),
                             .line = p->pair.stride * p->row * (int32_t)sizeof(int32_t),
                             .is_floor = p->q->output_offset == -128,
                             .taps = p->taps};
  job.taps_end = p->taps + 2 * p->line.kernel * p->pair.kernel;
  memset(p->words, 0, sizeof(int32_t) * (size_t)CHANNELS * (size_t)p->plane);
  for (int32_t y = 0; y < p->lines; y += p->rows_at_once) {
    one_band(p, &job, channels, input, weights, output, y);
  }
}

void spk_depthwise_conv2d_s8_dense__armv7em(const spk_window2d *w, const spk_requant *q,
                                            const int8_t *input, const int8_t *weights,
                                            const int32_t *bias, int8_t *output,
                                            void *scratch) {
  spk_channel *const channels = scratch;
  const int32_t taps = w->kernel_h * w->kernel_w;
  if (is_suited(w)) spk_channels_armv7em(q, bias, w->out_c, taps, 1 << 29, channels);
  if (!is_suited(w) || channels[0].alike != w->out_c) {
    spk_depthwise_conv2d_s8_dense__c(w, q, input, weights, bias, output, scratch);
    return;
  }
  planes p;
  plan(w, &p);
  p.q = q;
  p.words = (int32_t *)(void *)(channels + w->out_c);
  p.taps = p.words + CHANNELS * p.plane;
  p.nothing = (int8_t *)(p.taps + 2 * taps);
  memset(p.nothing, -q->input_offset, CHANNELS);
  plan_taps(&p);
  for (int32_t b = 0; b < w->batch; ++b) {
    all_bands(&p, channels, input, weights, output);
    input += (ptrdiff_t)w->in_h * w->in_w * w->in_c;
    output += (ptrdiff_t)w->out_h * w->out_w * w->out_c;
  }
}

#else

size_t spk_depthwise_conv2d_s8_dense__armv7em_scratch(const spk_window2d *w) {
  return spk_depthwise_conv2d_s8_dense__c_scratch(w);
}

void spk_depthwise_conv2d_s8_dense__armv7em(const spk_window2d *w, const spk_requant *q,
                                            const int8_t *input, const int8_t *weights,
                                            const int32_t *bias, int8_t *output,
                                            void *scratch) {
  spk_depthwise_conv2d_s8_dense__c(w, q, input, weights, bias, output, scratch);
}

#endif
