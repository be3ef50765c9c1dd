#include "delegate/stock_cost.h"

#include <math.h>

#if defined(__x86_64__)
#include "kernels/x86/kernels_x86.h"
#elif defined(__aarch64__)
#include "kernels/aarch64/kernels_aarch64.h"
#endif

// Fitted like the costs of the kernels, see cost_rule.c.

// Expected time of the stock interpreter for the dense layer, in nanoseconds: for each
// multiply-add, and for each output of a convolution. Weights of FULLY_CONNECTED that the
// second-level cache does not hold cost `uncached`. Pairs are float32, int8.
typedef struct stock_cost {
  double fully_connected[2], uncached[2], conv2d[2], output[2];
} stock_cost;

static const double kStockCall = 100;
static const double kStockTap = 0.75;        // float32: for each output pixel and tap ...
static const int32_t kStockTapChannels = 8;  // ... of so many channels
static const double kCachedBytes = 768 * 1024;
static const int32_t kStockChannels = 16;    // XNNPACK computes output channels in such groups
static const int32_t kStockInputs = 8;       // int8: of fewer channels a tap takes ...
static const double kStockFewInputs = 0.45;  // ... so long for each output pixel and group

// Each group of a grouped convolution is computed by itself: its output channels are padded,
// int8 its inputs too, and it takes so long for each output pixel, and float32 for each tap of
// one.
static const double kStockGroup[] = {0.2, 0.5}, kStockGroupTap[] = {0.45, 0};

// DEPTHWISE_CONV_2D in the stock interpreter, for each output: up to 9 and up to 25 taps, a tap
// beyond, and channel multipliers above one. Measured for int8: 0.25, 0.61, 0.65 and 5;
// processors without VNNI are an estimate. As long takes a group for each channel, also
// float32.
static const double kStockDepthwise[] = {0.25, 0.6, 0.1, 1.0};
#if defined(__x86_64__)
static const double kStockDepthwiseOlder = 2;
#endif

// What a machine does. `kernels`: how much longer our kernels take there than the table says,
// for float32 and int8. A batch shares the weights that the stock kernel loads.
typedef struct machine {
  stock_cost stock;
  double kernels[2], batch_share;
} machine;

static const int32_t kStockBatch = 4;

#if defined(__x86_64__)
static const machine kAvx512Vnni = {
    {{0.027, 0.0042}, {0.034, 0.0075}, {0.0075, 0.00193}, {0.05, 0.065}}, {1.0, 1.0}, 0.6};
// A Xeon of the Skylake generation. Its float32 FULLY_CONNECTED from memory takes twice as long
// (0.155), so that even dense layers would be ours: they stay with the stock kernel.
static const machine kAvx512 = {
    {{0.049, 0.036}, {0.078, 0.028}, {0.0133, 0.0235}, {0.07, 0.1}}, {2.2, 3.5}, 0.4};
// An estimate.
static const machine kAvx2 = {
    {{0.03, 0.008}, {0.036, 0.012}, {0.015, 0.0058}, {0.07, 0.1}}, {1.0, 1.0}, 0.6};
#elif defined(__aarch64__)
// The dense kernels here, see costs_aarch64.h, but for int8 without dot products, where XNNPACK
// is known to be faster than ours: an estimate, like what it gains from int8 matrix products.
// Weights from memory take everyone longer: counts do not tell how much.
static const machine kNeon = {
    {{0.109, 0.05}, {0.109, 0.05}, {0.062, 0.035}, {0.3, 0.5}}, {1.0, 1.0}, 0.6};
static const machine kNeonDot = {
    {{0.109, 0.0227}, {0.109, 0.0227}, {0.062, 0.0166}, {0.3, 0.5}}, {1.0, 1.0}, 0.6};
static const machine kNeonI8mm = {
    {{0.109, 0.0227}, {0.109, 0.0227}, {0.062, 0.0105}, {0.3, 0.5}}, {1.0, 1.0}, 0.6};
#else
// An estimate.
static const machine kOther = {
    {{0.04, 0.01}, {0.05, 0.015}, {0.03, 0.009}, {0.1, 0.2}}, {1.0, 1.0}, 0.6};
#endif

static const machine *this_machine(void) {
#if defined(__x86_64__)
  return spk_has_avx512vnni() ? &kAvx512Vnni : spk_has_avx512() ? &kAvx512 : &kAvx2;
#elif defined(__aarch64__)
  return spk_has_neoni8mm() ? &kNeonI8mm : spk_has_neondot() ? &kNeonDot : &kNeon;
#else
  return &kOther;
#endif
}

static double stock_depthwise_nanoseconds(const spk_layer *layer) {
  const spk_window2d *w = &layer->window;
  const int32_t taps = w->kernel_h * w->kernel_w;
  double each = taps <= 9 ? kStockDepthwise[0] : kStockDepthwise[1];
  if (taps > 25) each = kStockDepthwise[2] * taps;
  if (w->out_c != w->in_c && each < kStockDepthwise[3]) each = kStockDepthwise[3];
#if defined(__x86_64__)
  if (!spk_has_avx512vnni()) each *= kStockDepthwiseOlder;
#endif
  return kStockCall + each * spk_elements(w->batch, w->out_h, w->out_w, w->out_c);
}

static int32_t padded(int32_t channels) {
  return (channels + kStockChannels - 1) / kStockChannels * kStockChannels;
}

static double stock_grouped_nanoseconds(const spk_layer *layer, const stock_cost *cost) {
  const spk_window2d *w = &layer->window;
  const int32_t groups = spk_layer_groups(layer), channels = padded(w->out_c / groups);
  const int32_t own = w->in_c / groups;
  const int32_t inputs = layer->dtype == SPK_S8 && own < kStockInputs ? kStockInputs : own;
  const double tap =
      kStockGroupTap[layer->dtype] + cost->conv2d[layer->dtype] * channels * inputs;
  const double pixel = kStockGroup[layer->dtype] + cost->output[layer->dtype] * channels +
                       tap * w->kernel_h * w->kernel_w;
  return kStockCall + pixel * spk_elements(w->batch, w->out_h, w->out_w, groups);
}

double spk_stock_nanoseconds(const spk_layer *layer) {
  const spk_window2d *w = &layer->window;
  const int32_t groups = spk_layer_groups(layer);
  if (layer->op == SPK_DEPTHWISE_CONV_2D || (groups > 1 && groups == w->in_c))
    return stock_depthwise_nanoseconds(layer);
  const machine *here = this_machine();
  const stock_cost *cost = &here->stock;
  if (groups > 1) return stock_grouped_nanoseconds(layer, cost);
  const int32_t channels = padded(w->out_c);
  const double size = (double)channels * spk_layer_cols(layer);
  const double macs = size * spk_elements(w->batch, w->out_h, w->out_w, 1);
  if (layer->op == SPK_FULLY_CONNECTED) {
    const double bytes = size * (layer->dtype == SPK_F32 ? 4 : 1);
    const int is_batch = w->batch >= kStockBatch;
    const double *mac = bytes > kCachedBytes && !(layer->dtype == SPK_S8 && is_batch)
                            ? cost->uncached
                            : cost->fully_connected;
    const double share = layer->dtype == SPK_F32 && is_batch ? here->batch_share : 1.0;
    return kStockCall + share * mac[layer->dtype] * macs;
  }
  const double taps = spk_elements(w->batch, w->out_h, w->out_w, w->kernel_h * w->kernel_w);
  double multiply = cost->conv2d[layer->dtype] * macs;
  if (layer->dtype == SPK_S8 && w->in_c < kStockInputs)
    multiply = fmax(multiply, kStockFewInputs * taps * channels / kStockChannels);
  return kStockCall + multiply +
         (layer->dtype == SPK_F32 && w->in_c >= kStockTapChannels ? kStockTap * taps : 0) +
         cost->output[layer->dtype] * spk_elements(w->batch, w->out_h, w->out_w, w->out_c);
}

double spk_stock_multiply_nanoseconds(spk_dtype dtype) {
  return this_machine()->stock.conv2d[dtype];
}

double spk_kernel_share(spk_dtype dtype) { return this_machine()->kernels[dtype]; }
