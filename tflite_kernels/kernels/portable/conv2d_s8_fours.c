// CONV_2D, int8, from weights kept for vector units: what those kernels compute, in plain C.
//
// The window under each output pixel is gathered once, then every row is a sum over it.
#include "spk/fours_s8.h"
#include "spk/kernels_s8.h"
#include "spk/requantize_s8.h"

// int32: the sums of a pixel (out_c, up to a multiple of four); uint8: its window.
size_t spk_conv2d_s8_fours__c_scratch(const spk_window2d *w) {
  const size_t columns =
      4 * (size_t)spk_channel_fours(w->in_c) * (size_t)w->kernel_h * (size_t)w->kernel_w;
  return 4 * (size_t)spk_channel_fours(w->out_c) * sizeof(int32_t) + columns;
}

static void gather(const spk_window2d *w, int32_t offset, const int8_t *image, int32_t y,
                   int32_t x, uint8_t *window) {
  const int32_t padded = 4 * spk_channel_fours(w->in_c);
  for (int32_t ky = 0; ky < w->kernel_h; ++ky) {
    const int32_t in_y = y * w->stride_h - w->pad_top + ky * w->dilation_h;
    for (int32_t kx = 0; kx < w->kernel_w; ++kx, window += padded) {
      const int32_t in_x = x * w->stride_w - w->pad_left + kx * w->dilation_w;
      const int inside = in_y >= 0 && in_y < w->in_h && in_x >= 0 && in_x < w->in_w;
      const int8_t *pixel = image + ((ptrdiff_t)in_y * w->in_w + in_x) * w->in_c;
      for (int32_t c = 0; c < padded; ++c) {
        const int32_t value = inside && c < w->in_c ? pixel[c] : -offset;
        window[c] = (uint8_t)(value + 128);
      }
    }
  }
}

static int32_t dot(const uint8_t *x, uint32_t weights) {
  int32_t sum = 0;
  for (int i = 0; i < 4; ++i) sum += x[i] * (int8_t)(weights >> 8 * i & 0xff);
  return sum;
}

typedef void (*sum_rows)(const uint32_t *weights, int32_t rows, int32_t columns,
                         const uint8_t *window, uint32_t *sums);

static void each_pixel(const spk_window2d *w, const spk_requant *q, const int8_t *input,
                       const uint32_t *weights, const int32_t *bias, int8_t *output,
                       void *scratch, sum_rows sum) {
  const int32_t columns = 4 * spk_channel_fours(w->in_c) * w->kernel_h * w->kernel_w;
  uint32_t *const sums = scratch;
  uint8_t *const window = (uint8_t *)(sums + 4 * spk_channel_fours(w->out_c));
  const int32_t pixels = w->batch * w->out_h * w->out_w;
  for (int32_t p = 0; p < pixels; ++p) {
    const int32_t x = p % w->out_w, y = p / w->out_w % w->out_h, b = p / w->out_w / w->out_h;
    const int8_t *image = input + (ptrdiff_t)b * w->in_h * w->in_w * w->in_c;
    gather(w, q->input_offset, image, y, x, window);
    sum(weights, w->out_c, columns, window, sums);
    for (int32_t c = 0; c < w->out_c; ++c) {
      *output++ = spk_requantize_s8((int32_t)(sums[c] + (uint32_t)bias[c]), q, c);
    }
  }
}

static void sum_rows4(const uint32_t *weights, int32_t rows, int32_t columns,
                      const uint8_t *window, uint32_t *sums) {
  for (int32_t r = 0; r < rows; r += 4, sums += 4) {
    for (int32_t i = 0; i < 4; ++i) sums[i] = 0;
    for (int32_t c = 0; c < columns; c += 4, weights += 4) {
      for (int32_t i = 0; i < 4; ++i) sums[i] += (uint32_t)dot(window + c, weights[i]);
    }
  }
}

static void sum_blocks(const uint32_t *weights, int32_t rows, int32_t columns,
                       const uint8_t *window, uint32_t *sums) {
  (void)columns;
  spk_fours_view v = spk_fours_of(weights, rows, 0);
  for (int32_t r = 0; r < rows; ++r) {
    uint32_t sum = 0;
    for (int32_t left = v.count[r]; left > 0; --left) {
      sum += (uint32_t)dot(window + 4 * *v.index++, *v.weights++);
    }
    sums[r] = sum;
  }
}

static void sum_fours(const uint32_t *weights, int32_t rows, int32_t columns,
                      const uint8_t *window, uint32_t *sums) {
  (void)columns;
  spk_fours_view v = spk_fours_of(weights, rows, 1);
  for (int32_t r = 0; r < rows; ++r) {
    uint32_t sum = 0;
    for (int32_t left = v.count[r]; left > 0; --left, v.index += 4) {
      const uint8_t x[4] = {window[v.index[0]], window[v.index[1]], window[v.index[2]],
                            window[v.index[3]]};
      sum += (uint32_t)dot(x, *v.weights++);
    }
    sums[r] = sum;
  }
}

void spk_conv2d_s8_rows4__c(const spk_window2d *w, const spk_requant *q, const int8_t *input,
                            const uint32_t *weights, const int32_t *bias, int8_t *output,
                            void *scratch) {
  each_pixel(w, q, input, weights, bias, output, scratch, sum_rows4);
}

void spk_conv2d_s8_blocks__c(const spk_window2d *w, const spk_requant *q, const int8_t *input,
                             const uint32_t *blocks, const int32_t *bias, int8_t *output,
                             void *scratch) {
  each_pixel(w, q, input, blocks, bias, output, scratch, sum_blocks);
}

void spk_conv2d_s8_fours__c(const spk_window2d *w, const spk_requant *q, const int8_t *input,
                            const uint32_t *fours, const int32_t *bias, int8_t *output,
                            void *scratch) {
  each_pixel(w, q, input, fours, bias, output, scratch, sum_fours);
}
