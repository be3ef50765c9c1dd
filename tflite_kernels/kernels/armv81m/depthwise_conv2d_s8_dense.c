// DEPTHWISE_CONV_2D, int8, for MVE: sixteen channels of a pixel at a time. The products of two
// taps fit 16 bits together, since no weight is -128, and are then added to sums of 32.
//
// Weights are packed by sixteens of channels, the last of which ends with the channels and so
// may overlap the one before it: (sixteens, taps made even, 16), with weights of zero for a tap
// too many and for channels where there are fewer than sixteen.
#include <string.h>

#include "spk/depthwise_mve.h"
#include "spk/kernels_s8.h"

// The channels of a sixteen in the order of its sums: bytes are multiplied by even and odd
// ones, and so are their products widened.
static int32_t channel_at(int32_t i) {
  static const uint8_t first[4] = {0, 2, 1, 3};
  return first[i / 4] + 4 * (i % 4);
}

static int32_t start_of(int32_t sixteen, int32_t last) {
  return SPK_DEPTHWISE_LANES * sixteen < last ? SPK_DEPTHWISE_LANES * sixteen : last;
}

static void pixel_in_c(const int8_t *const *taps, const spk_depthwise_job *job,
                       const spk_requant *q) {
  const int32_t lanes =
      job->channels < SPK_DEPTHWISE_LANES ? job->channels : SPK_DEPTHWISE_LANES;
  for (int32_t s = 0; s < job->sixteens; ++s) {
    const int32_t start = start_of(s, job->last);
    const int8_t *const weights = job->weights + s * 2 * job->pairs * SPK_DEPTHWISE_LANES;
    for (int32_t i = 0; i < SPK_DEPTHWISE_LANES; ++i) {
      const int32_t lane = channel_at(i);
      if (lane >= lanes) continue;
      uint32_t sum = (uint32_t)job->ends[s * SPK_DEPTHWISE_ENDS + i];
      for (int32_t t = 0; t < 2 * job->pairs; ++t) {
        sum += (uint32_t)(taps[t][start + lane] * weights[t * SPK_DEPTHWISE_LANES + lane]);
      }
      job->output[start + lane] = spk_requantize_s8((int32_t)sum, q, start + lane);
    }
  }
}

// The scratch: pointers to the taps, what the sixteens end with, and a pixel of padding.
typedef struct plan {
  const spk_window2d *w;
  const int8_t **taps;
  int32_t *ends;
  int8_t *nothing;
  spk_depthwise_job job;
  int vectors;
} plan;

static int32_t taps_of(const spk_window2d *w) {
  return (w->kernel_h * w->kernel_w + 1) & ~(int32_t)1;
}

static int32_t sixteens_of(const spk_window2d *w) {
  return (w->out_c + SPK_DEPTHWISE_LANES - 1) / SPK_DEPTHWISE_LANES;
}

size_t spk_depthwise_conv2d_s8_dense__mve_scratch(const spk_window2d *w) {
  return (size_t)taps_of(w) * sizeof(int8_t *) +
         (size_t)sixteens_of(w) * SPK_DEPTHWISE_ENDS * sizeof(int32_t) + (size_t)w->out_c;
}

static void prepare(plan *p, const spk_requant *q, const int32_t *bias) {
  const int32_t channels = p->w->out_c;
  int32_t largest = -1;
  for (int32_t s = 0; s < p->job.sixteens; ++s) {
    int32_t *const ends = p->ends + s * SPK_DEPTHWISE_ENDS;
    for (int32_t i = 0; i < SPK_DEPTHWISE_LANES; ++i) {
      const int32_t channel = start_of(s, p->job.last) + channel_at(i);
      const int32_t c = channel < channels ? channel : channels - 1;
      ends[i] = bias[c];
      ends[SPK_DEPTHWISE_LANES + i / 4 * 8 + i % 4] = q->multiplier[c];
      ends[SPK_DEPTHWISE_LANES + i / 4 * 8 + 4 + i % 4] = q->shift[c];
      if (q->shift[c] > largest) largest = q->shift[c];
    }
  }
  p->vectors = largest < 0;
  memset(p->nothing, -q->input_offset, (size_t)channels);
}

// The taps of the pixel in column x of the row of output that reads input row y first.
static void point_taps(const plan *p, const int8_t *image, int32_t y, int32_t x) {
  const spk_window2d *const w = p->w;
  const int8_t **tap = p->taps;
  for (int32_t ky = 0; ky < w->kernel_h; ++ky, y += w->dilation_h) {
    for (int32_t kx = 0; kx < w->kernel_w; ++kx) {
      const int32_t at = x + kx * w->dilation_w;
      const int inside = (uint32_t)y < (uint32_t)w->in_h && (uint32_t)at < (uint32_t)w->in_w;
      *tap++ = inside ? image + ((ptrdiff_t)y * w->in_w + at) * w->in_c : p->nothing;
    }
  }
}

// To the next pixel; what is in the padding stays there.
static void move_taps(const plan *p, int32_t count, int32_t bytes) {
  for (int32_t t = 0; t < count; ++t) {
    if (p->taps[t] != p->nothing) p->taps[t] += bytes;
  }
}

static void row_of_pixels(plan *p, const spk_requant *q, const int8_t *image, int32_t y) {
  const spk_window2d *const w = p->w;
  const int32_t count = w->kernel_h * w->kernel_w, reach = (w->kernel_w - 1) * w->dilation_w;
  for (int32_t ox = 0; ox < w->out_w; ++ox, p->job.output += w->out_c) {
    const int32_t x = ox * w->stride_w - w->pad_left;
    // Both this pixel and the one before it lie between the borders on both sides.
    if (ox > 0 && x >= w->stride_w && x + reach < w->in_w) {
      move_taps(p, count, w->stride_w * w->in_c);
    } else {
      point_taps(p, image, y, x);
    }
#if SPK_MVE
    if (p->vectors) {
      (w->out_c < SPK_DEPTHWISE_LANES ? spk_depthwise_narrow_pixel__mve
                                      : spk_depthwise_pixel__mve)(p->taps, &p->job);
      continue;
    }
#endif
    pixel_in_c(p->taps, &p->job, q);
  }
}

void spk_depthwise_conv2d_s8_dense__mve(const spk_window2d *w, const spk_requant *q,
                                        const int8_t *input, const int8_t *sixteens,
                                        const int32_t *bias, int8_t *output, void *scratch) {
  const int32_t taps = taps_of(w);
  plan p = {.w = w,
            .taps = scratch,
            .job = {.weights = sixteens,
                    .output = output,
                    .pairs = taps / 2,
                    .sixteens = sixteens_of(w),
                    .last = w->out_c > SPK_DEPTHWISE_LANES ? w->out_c - SPK_DEPTHWISE_LANES : 0,
                    .output_offset = q->output_offset,
                    .act_min = q->act_min,
                    .act_max = q->act_max,
                    .channels = w->out_c}};
  p.ends = (int32_t *)(void *)(p.taps + taps);
  p.job.ends = p.ends;
  p.nothing = (int8_t *)(p.ends + p.job.sixteens * SPK_DEPTHWISE_ENDS);
  prepare(&p, q, bias);
  p.taps[taps - 1] = p.nothing;  // has weights of zero if it is one too many
  for (int32_t b = 0; b < w->batch; ++b) {
    const int8_t *const image = input + (ptrdiff_t)b * w->in_h * w->in_w * w->in_c;
    for (int32_t oy = 0; oy < w->out_h; ++oy) {
      row_of_pixels(&p, q, image, oy * w->stride_h - w->pad_top);
    }
  }
}
