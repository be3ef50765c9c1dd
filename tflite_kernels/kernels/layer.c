#include "spk/layer.h"

static int product_fits(int32_t a, int32_t b, int32_t c, int32_t d) {
  const int64_t limit = INT32_MAX / 8;
  const int64_t factors[] = {a, b, c, d};
  int64_t product = 1;
  for (int i = 0; i < 4; ++i) {
    if (factors[i] < 1 || factors[i] > limit) return 0;
    product *= factors[i];
    if (product > limit) return 0;
  }
  return 1;
}

// The last window along one axis may start inside the padding, but must end near the input.
static int axis_fits(int32_t in, int32_t out, int32_t kernel, int32_t stride, int32_t dilation,
                     int32_t pad) {
  if (stride < 1 || stride > 1024 || dilation < 1 || dilation > 1024) return 0;
  if (kernel > 1024 || pad < 0 || pad > kernel * dilation) return 0;
  const int64_t end = (int64_t)(out - 1) * stride + (int64_t)(kernel - 1) * dilation - pad;
  return end < (int64_t)in + (int64_t)kernel * dilation;
}

spk_status spk_layer_check(const spk_layer *layer) {
  if (!layer) return SPK_ERR_ARGUMENT;
  const spk_window2d *w = &layer->window;
  if (!product_fits(w->batch, w->in_h, w->in_w, w->in_c) ||
      !product_fits(w->batch, w->out_h, w->out_w, w->out_c) ||
      !product_fits(w->out_c, w->kernel_h, w->kernel_w,
                    layer->op == SPK_DEPTHWISE_CONV_2D ? 1 : w->in_c))
    return SPK_ERR_ARGUMENT;
  if (layer->op == SPK_DEPTHWISE_CONV_2D && w->out_c % w->in_c != 0) return SPK_ERR_ARGUMENT;
  if (!axis_fits(w->in_h, w->out_h, w->kernel_h, w->stride_h, w->dilation_h, w->pad_top) ||
      !axis_fits(w->in_w, w->out_w, w->kernel_w, w->stride_w, w->dilation_w, w->pad_left))
    return SPK_ERR_ARGUMENT;
  return SPK_OK;
}
