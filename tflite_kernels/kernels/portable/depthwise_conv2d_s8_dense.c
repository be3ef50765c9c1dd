// DEPTHWISE_CONV_2D, int8, dense.
//
// The input rows under an output row lie in a band, padded left and right with the zero
// point, so that no tap needs a bounds check; the offset times the sum of weights goes
// into the bias once. The band is a ring: every input row is copied once. Then every
// weight load serves four pixels.
#include <string.h>

#include "spk/kernels_s8.h"
#include "spk/requantize_s8.h"

static int32_t padded_width(const spk_window2d *w) {
  const int32_t reach = (w->out_w - 1) * w->stride_w + (w->kernel_w - 1) * w->dilation_w + 1;
  return reach > w->pad_left + w->in_w ? reach : w->pad_left + w->in_w;
}

static int32_t band_rows(const spk_window2d *w) {
  return (w->kernel_h - 1) * w->dilation_h + 1;
}

// int32: folded biases (out_c), places of the kernel's rows (kernel_h), the sums of one
// channel (out_w); int8: the band (band rows, padded width, in_c).
size_t spk_depthwise_conv2d_s8_dense__c_scratch(const spk_window2d *w) {
  return ((size_t)w->out_c + (size_t)w->kernel_h + (size_t)w->out_w) * sizeof(int32_t) +
         (size_t)band_rows(w) * (size_t)padded_width(w) * (size_t)w->in_c;
}

static void fold_biases(const spk_window2d *w, int32_t offset, const int8_t *weights,
                        const int32_t *bias, int32_t *folded) {
  for (int32_t c = 0; c < w->out_c; ++c) {
    int32_t sum = 0;
    for (int32_t tap = 0; tap < w->kernel_h * w->kernel_w; ++tap) {
      sum += weights[(ptrdiff_t)tap * w->out_c + c];
    }
    folded[c] = (bias != NULL ? bias[c] : 0) + offset * sum;
  }
}

static void copy_row(const spk_window2d *w, int32_t zero_point, const int8_t *image, int32_t y,
                     int8_t *line) {
  const size_t left = (size_t)w->pad_left * (size_t)w->in_c;
  const size_t inside = (size_t)w->in_w * (size_t)w->in_c;
  const size_t whole = (size_t)padded_width(w) * (size_t)w->in_c;
  if (y < 0 || y >= w->in_h) {
    memset(line, zero_point, whole);
    return;
  }
  memset(line, zero_point, left);
  memcpy(line + left, image + (size_t)y * inside, inside);
  memset(line + left + inside, zero_point, whole - left - inside);
}

// What stays the same for all channels of one output row.
typedef struct row_job {
  const int32_t *lines;  // offset of each kernel row in the band
  int32_t *sums;         // (out_w), one channel
  int32_t tap, pixel;    // steps in the band
  int32_t out_w, out_c;
  int32_t kernel_h, kernel_w;
} row_job;

// The sums of one channel: first four pixels at a time, then one. The kernel's width is
// an argument so that rows of three taps can be unrolled.
SPK_INLINE void row_sums(const row_job *j, int32_t kernel_h, int32_t kernel_w,
                         const int8_t *restrict x, const int8_t *restrict weights, int32_t bias,
                         int32_t *restrict sums) {
  const int32_t pixel = j->pixel, tap = j->tap, out_c = j->out_c;
  const int32_t *const lines = j->lines;
  int32_t left = j->out_w;
  for (; left >= 4; left -= 4, x += 4 * pixel, sums += 4) {
    const int8_t *weight = weights;
    int32_t a0 = bias, a1 = bias, a2 = bias, a3 = bias;
    for (int32_t ky = 0; ky < kernel_h; ++ky) {
      const int8_t *p = x + lines[ky];
      for (int32_t kx = 0; kx < kernel_w; ++kx, p += tap, weight += out_c) {
        const int32_t value = *weight;
        a0 += value * p[0];
        a1 += value * p[pixel];
        a2 += value * p[2 * pixel];
        a3 += value * p[3 * pixel];
      }
    }
    sums[0] = a0;
    sums[1] = a1;
    sums[2] = a2;
    sums[3] = a3;
  }
  for (; left > 0; --left, x += pixel) {
    const int8_t *weight = weights;
    int32_t acc = bias;
    for (int32_t ky = 0; ky < kernel_h; ++ky) {
      const int8_t *p = x + lines[ky];
      for (int32_t kx = 0; kx < kernel_w; ++kx, p += tap, weight += out_c) {
        acc += *weight * *p;
      }
    }
    *sums++ = acc;
  }
}

SPK_NOINLINE void row_sums_width_3(const row_job *j, const int8_t *x, const int8_t *weights,
                                   int32_t bias) {
  row_sums(j, j->kernel_h, 3, x, weights, bias, j->sums);
}

SPK_NOINLINE void row_sums_any(const row_job *j, const int8_t *x, const int8_t *weights,
                               int32_t bias) {
  row_sums(j, j->kernel_h, j->kernel_w, x, weights, bias, j->sums);
}

SPK_NOINLINE void store_row(const int32_t *restrict sums, int32_t count, int small,
                            const spk_requant *q, int32_t c, int32_t out_c,
                            int8_t *restrict output) {
  if (q->shift[c] >= 0 || !small) {
    for (; count > 0; --count, output += out_c) *output = spk_requantize_s8(*sums++, q, c);
    return;
  }
  const spk_channel_scale s = spk_scale_of(q, c);
  const int32_t low = q->act_min, high = q->act_max;
  for (; count > 0; --count, output += out_c) {
    *output = (int8_t)spk_clamp(spk_scale_s8(*sums++, s), low, high);
  }
}

static void output_row(const spk_window2d *w, const row_job *j, const spk_requant *q,
                       const int8_t *band, const int8_t *weights, const int32_t *folded,
                       int8_t *output) {
  const int32_t multiplier = w->out_c / w->in_c;
  for (int32_t c = 0, in_c = 0; in_c < w->in_c; ++in_c) {
    for (int32_t m = 0; m < multiplier; ++m, ++c) {
      if (w->kernel_w == 3) {
        row_sums_width_3(j, band + in_c, weights + c, folded[c]);
      } else {
        row_sums_any(j, band + in_c, weights + c, folded[c]);
      }
      const int small = spk_sum_is_small(folded[c], w->kernel_h * w->kernel_w);
      store_row(j->sums, w->out_w, small, q, c, w->out_c, output + c);
    }
  }
}

static void one_image(const spk_window2d *w, const spk_requant *q, const int8_t *image,
                      const int8_t *weights, int32_t *folded, int8_t *output) {
  int32_t *const lines = folded + w->out_c;
  int32_t *const sums = lines + w->kernel_h;
  int8_t *const band = (int8_t *)(sums + w->out_w);
  const int32_t whole = padded_width(w) * w->in_c, rows = band_rows(w);
  const row_job job = {lines,
                       sums,
                       w->dilation_w * w->in_c,
                       w->stride_w * w->in_c,
                       w->out_w,
                       w->out_c,
                       w->kernel_h,
                       w->kernel_w};
  int32_t next = 0;  // first row of the padded input that is not in the band yet
  for (int32_t y = 0; y < w->out_h; ++y, output += (ptrdiff_t)w->out_w * w->out_c) {
    const int32_t first = y * w->stride_h;
    for (next = next < first ? first : next; next < first + rows; ++next) {
      copy_row(w, -q->input_offset, image, next - w->pad_top, band + (next % rows) * whole);
    }
    for (int32_t ky = 0; ky < w->kernel_h; ++ky) {
      lines[ky] = ((first + ky * w->dilation_h) % rows) * whole;
    }
    output_row(w, &job, q, band, weights, folded, output);
  }
}

void spk_depthwise_conv2d_s8_dense__c(const spk_window2d *w, const spk_requant *q,
                                      const int8_t *input, const int8_t *weights,
                                      const int32_t *bias, int8_t *output, void *scratch) {
  int32_t *const folded = scratch;
  fold_biases(w, q->input_offset, weights, bias, folded);
  for (int32_t b = 0; b < w->batch; ++b) {
    one_image(w, q, input, weights, folded, output);
    input += (ptrdiff_t)w->in_h * w->in_w * w->in_c;
    output += (ptrdiff_t)w->out_h * w->out_w * w->out_c;
  }
}
