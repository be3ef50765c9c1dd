#include "delegate/cost_rule.h"

#include <math.h>
#include <string.h>

#include "delegate/stock_cost.h"
#if defined(__x86_64__)
#include "kernels/x86/depthwise_columns_s8.h"
#include "kernels/x86/depthwise_pairs_s8.h"
#include "kernels/x86/depthwise_s8.h"
#include "kernels/x86/kernels_x86.h"
#include "kernels/x86/planar_fours_s8.h"
#elif defined(__aarch64__)
#include "kernels/aarch64/kernels_aarch64.h"
#endif

// The constants were fitted to times of the Python interpreter (LiteRT 2.3, one thread) on an
// AMD EPYC of the Zen 5 generation, kernels and stock interleaved; those of the float32 kernels
// with blocks to their ratios to other kernels on a Xeon of the Skylake generation. Other
// processors differ, but less in the ratios, which decide. Rows marked "estimate" were not
// measured.

// Expected time of a kernel, in nanoseconds:
//   call + packed_byte * bytes of packed weights * computed pixels
//     + input * input elements that some tap reads + output * output elements
// The bytes of the packed weights count the work including the padding of the format, computed
// pixels include those that are not stored. Windows larger than 1x1 read their inputs
// unaligned, and cost `window` for each byte instead. `call` is the set-up of a convolution.
// What says how sums become int8 is not multiplied with pixels and does not count.
// Depthwise the four numbers mean something else, see below.
typedef struct kernel_cost {
  const char *name;
  double packed_byte, window, input, output;
} kernel_cost;

#if defined(__aarch64__)
#include "delegate/costs_aarch64.h"
#endif

static const kernel_cost kCosts[] = {
    {"spk_fully_connected_f32_dense__ref", 0.11, 0, 0, 0.5},
    {"spk_fully_connected_f32_csr__c", 0.036, 0, 0, 0.3},
    {"spk_fully_connected_f32_blocks16x1__c", 0.016, 0, 0, 0.3},
    {"spk_fully_connected_f32_blocks8x1__avx2", 0.0072, 0, 0, 0.2},
    {"spk_fully_connected_f32_blocks16x1__avx2", 0.0056, 0, 0, 0.2},
    {"spk_fully_connected_f32_blocks16x1__avx512", 0.0042, 0, 0, 0.2},
    {"spk_fully_connected_f32_windows__avx2", 0.0125, 0, 0, 0.3},
    {"spk_fully_connected_f32_windows__avx512", 0.0105, 0, 0, 0.2},
    {"spk_fully_connected_s8_dense__ref", 0.24, 0, 0, 1.5},
    {"spk_fully_connected_s8_stream__c", 0.2, 0, 0, 1.5},
    {"spk_fully_connected_s8_blocks8x4__avx2", 0.022, 0, 0, 0.9},
    {"spk_fully_connected_s8_blocks8x4__avxvnni", 0.0135, 0, 0, 0.9},
    {"spk_fully_connected_s8_blocks16x4__avx512vnni", 0.006, 0, 0, 0.27},
    {"spk_fully_connected_s8_quads__avx2", 0.035, 0, 0, 0.9},
    {"spk_fully_connected_s8_quads__avxvnni", 0.025, 0, 0, 0.9},
    {"spk_fully_connected_s8_quads__avx512vnni", 0.008, 0, 0, 0.27},
    {"spk_fully_connected_s8_windows__avx2", 0.0125, 0, 0, 1.0},
    {"spk_fully_connected_s8_windows__avxvnni", 0.0118, 0, 0, 0.8},
    {"spk_fully_connected_s8_windows__avx512vbmi", 0.0063, 0, 0, 0.27},
    {"spk_conv2d_f32_dense__ref", 0.075, 0.075, 0, 1.0},
    {"spk_conv2d_f32_csr__c", 0.032, 0.035, 0.5, 0.3},
    {"spk_conv2d_f32_blocks1x1__avx2", 0.0026, 0.0039, 0.12, 0.14},
    {"spk_conv2d_f32_blocks1x1__avx512", 0.0023, 0.0031, 0.1, 0.09},
    {"spk_conv2d_f32_blocks2x1__avx2", 0.003, 0.0039, 0.12, 0.14},
    {"spk_conv2d_f32_blocks2x1__avx512", 0.002, 0.0023, 0.1, 0.1},
    {"spk_conv2d_f32_blocks4x1__avx2", 0.0032, 0.0045, 0.12, 0.14},
    {"spk_conv2d_f32_blocks4x1__avx512", 0.00165, 0.0018, 0.1, 0.09},
    {"spk_conv2d_f32_lanes1x1__avx2", 0.003, 0.003, 0.19, 0.02},
    {"spk_conv2d_f32_lanes1x1__avx512", 0.0018, 0.0018, 0.2, 0.02},
    {"spk_conv2d_f32_lanes2x1__avx2", 0.003, 0.003, 0.15, 0.18},
    {"spk_conv2d_f32_lanes2x1__avx512", 0.0015, 0.0015, 0.2, 0.05},
    {"spk_conv2d_s8_dense__ref", 0.24, 0.24, 0, 1.5},
    {"spk_conv2d_s8_stream__c", 0.062, 0.062, 1.0, 2.5},
    {"spk_conv2d_s8_pairs__avx2", 0.0034, 0.0033, 0.074, 0.21},
    {"spk_conv2d_s8_quads__avxvnni", 0.0017, 0.0017, 0.063, 0.066},
    {"spk_conv2d_s8_quads__avx512vnni", 0.00165, 0.00165, 0.03, 0.0125},
    {"spk_conv2d_s8_blocks1x4__avx2", 0.0046, 0.0046, 0.01, 0.0285},
    {"spk_conv2d_s8_blocks2x4__avx2", 0.0064, 0.0059, 0.01, 0.069},
    {"spk_conv2d_s8_blocks4x4__avx2", 0.0073, 0.0066, 0.01, 0.059},
    {"spk_conv2d_s8_blocks1x4__avxvnni", 0.0031, 0.0033, 0.01, 0.04},
    {"spk_conv2d_s8_blocks2x4__avxvnni", 0.0035, 0.0031, 0.02, 0.055},
    {"spk_conv2d_s8_blocks4x4__avxvnni", 0.0043, 0.0037, 0.01, 0.056},
    {"spk_conv2d_s8_blocks1x4__avx512vnni", 0.002, 0.0025, 0.015, 0.0},
    {"spk_conv2d_s8_blocks2x4__avx512vnni", 0.0022, 0.00195, 0.015, 0.006},
    {"spk_conv2d_s8_blocks4x4__avx512vnni", 0.0022, 0.0018, 0.01, 0.018},
    {"spk_depthwise_conv2d_s8_dense__ref", 90, 180, 0, 10},
    {"spk_depthwise_conv2d_s8_dense__avx2", 3, 7, 2.7, 8},
    {"spk_depthwise_conv2d_s8_dense__avxvnni", 1.7, 4.5, 2.4, 8},
    {"spk_depthwise_conv2d_s8_dense__avx512vbmi", 1.5, 3.5, 2.1, 8},
    {"spk_depthwise_conv2d_s8_columns__avx2", 3.2, 0, 0.8, 6},
    {"spk_depthwise_conv2d_s8_columns__avx512vnni", 3, 0, 2, 20},
};

// Windows over few channels find their float32 inputs in the first-level cache.
static const int32_t kFewChannels = 32;
static const double kFewChannelsShare = 0.75;
static const double kConvCall = 450, kConvPixel = 2.5;
#if defined(__x86_64__)
static const double kRowPixel = 1.5;  // where a row of the window is a pixel
#endif
static const int32_t kSharedBatch = 4;  // images, from which on weights are loaded less
static const double kSharedLoads = 0.6;

// Taken only where it is expected to win by this factor and by this many nanoseconds: a node of
// ours in the middle cuts what XNNPACK would have run in one go.
static const double kMargin = 1.1;
static const double kLeastGain = 400;

static const kernel_cost *cost_of(const spk_kernel *kernel) {
#if defined(__aarch64__)
  for (size_t i = 0; i < sizeof(kAarch64Costs) / sizeof(kAarch64Costs[0]); ++i)
    if (strcmp(kAarch64Costs[i].name, kernel->name) == 0) return &kAarch64Costs[i];
#endif
  for (size_t i = 0; i < sizeof(kCosts) / sizeof(kCosts[0]); ++i)
    if (strcmp(kCosts[i].name, kernel->name) == 0) return &kCosts[i];
  return NULL;
}

int spk_has_cost(const spk_kernel *kernel) { return cost_of(kernel) != NULL; }

static int is_window(const spk_window2d *w) { return w->kernel_h * w->kernel_w > 1; }

// Bands of a convolution have some columns too many, and end in a tile that is not full.
static double computed_pixels(const spk_layer *layer) {
  const spk_window2d *w = &layer->window;
  if (layer->op == SPK_FULLY_CONNECTED) return w->batch;
  const int32_t extra = (w->kernel_w - 1) * w->dilation_w / w->stride_w;
  const int32_t tile = layer->dtype == SPK_F32 ? 16 : 32;
  const double pixels = (double)w->out_h * (w->out_w + extra);
  return w->batch * ceil(pixels / tile) * tile;
}

// Pixels of the input that some tap reads.
static double read_pixels(const spk_window2d *w) {
  const double rows = w->kernel_h < w->stride_h ? (double)w->kernel_h / w->stride_h : 1;
  const double cols = w->kernel_w < w->stride_w ? (double)w->kernel_w / w->stride_w : 1;
  return rows * cols * spk_elements(w->batch, w->in_h, w->in_w, 1);
}

// FULLY_CONNECTED kernels that load int8 weights once for some images of a batch.
static int shares_weights(const spk_kernel *kernel) {
  return kernel->op == SPK_FULLY_CONNECTED && strncmp(kernel->isa, "avx", 3) == 0 &&
         (strcmp(kernel->format, "row_blocks_s8") == 0 || strstr(kernel->name, "s8_quads") ||
          strstr(kernel->name, "s8_windows__avx512"));
}

#if defined(__x86_64__)
// Of a depthwise kernel by columns: `packed_byte` for each output pixel of a chunk, `input` for
// each column of three inputs, `output` for each row of outputs. Narrow chunks take two rows.
static double columns_nanoseconds(const kernel_cost *cost, const spk_layer *layer) {
  const double unit = 100;  // one chunk
  const spk_window2d *w = &layer->window;
  const int32_t chunks = spk_columns_shape_of(layer).chunks;
  const int is_narrow = w->out_c - (chunks - 1) * kSpkChunk <= kSpkNarrowChunk;
  const double rows = spk_elements(w->batch, w->out_h, 1, 1) * (chunks - (is_narrow ? 0.5 : 0));
  const double pixel = cost->packed_byte + cost->input * w->stride_w;
  return unit * w->batch * chunks + rows * (cost->output + w->out_w * pixel);
}

// The same for parts of 16 channels, and with stride 1 for two outputs at a time.
static double pairs_nanoseconds(const kernel_cost *cost, const spk_layer *layer) {
  const double unit = 75;  // one part
  const spk_window2d *w = &layer->window;
  const int32_t parts = spk_pairs_shape_of(layer).parts;
  const int32_t outputs = w->stride_w == 1 ? (w->out_w + 1) / 2 * 2 : w->out_w;
  const double pixel = cost->packed_byte + cost->input * w->stride_w;
  return unit * w->batch * parts +
         spk_elements(w->batch, w->out_h, parts, 1) * (cost->output + outputs * pixel);
}
#endif

// Of a dense depthwise kernel: `packed_byte` for eight output pixels of a vector of channels
// and a vector of taps, `window` for the eight pixels themselves, `input` for each quad of
// inputs of four vectors, which with stride 2 serves half as many outputs and comes from
// further away, `output` for each row of outputs of a vector.
static double depthwise_nanoseconds(const kernel_cost *cost, const spk_layer *layer) {
#if defined(__x86_64__)
  if (strstr(cost->name, "columns__avx2")) return pairs_nanoseconds(cost, layer);
  if (strstr(cost->name, "columns")) return columns_nanoseconds(cost, layer);
  const double unit = 100;  // one image, four vectors of channels
  const spk_window2d *w = &layer->window;
  const int32_t lanes = strstr(cost->name, "avx512") ? 16 : 8;
  const spk_depthwise_shape s = spk_depthwise_shape_of(layer, lanes);
  const double rows = spk_elements(w->batch, w->out_h, 1, s.groups);
  const double eight = cost->window + cost->packed_byte * w->kernel_h * s.quads;
  const double inputs = spk_elements(w->batch, w->in_h, s.positions, s.chunks);
  return rows * (cost->output + ceil(w->out_w / 4.0) / 2 * eight) +
         inputs * cost->input * 2 / s.variants + unit * w->batch * s.chunks;
#else
  const spk_window2d *w = &layer->window;
  return cost->packed_byte * spk_elements(w->batch, w->out_h, w->out_w, w->out_c) / 8;
#endif
}

// What a convolution spends on each pixel of its input, in which it may see words of four
// channels, or rows of the window.
static double pixel_nanoseconds(const spk_kernel *kernel, const spk_layer *layer,
                                spk_layer *view) {
  const double input = cost_of(kernel)->input;
  *view = *layer;
#if defined(__x86_64__)
  if (strcmp(kernel->format, "blocks4_s8") == 0 && layer->window.in_c % kSpkFour != 0) {
    spk_planar_fours_s8_view(layer, view);
    return kRowPixel + input * kSpkFour * view->window.in_c;
  }
#endif
  return kConvPixel + input * layer->window.in_c;
}

// Of the packed weights.
static size_t ends_bytes(const spk_kernel *kernel, const spk_layer *layer) {
#if defined(__x86_64__)
  if (strcmp(kernel->format, "blocks4_s8") == 0 || strstr(kernel->name, "conv2d_s8_quads"))
    return spk_channels_s8_tail_bytes(layer);
#endif
  (void)kernel;
  (void)layer;
  return 0;
}

static double kernel_nanoseconds(const spk_kernel *kernel, const spk_layer *layer,
                                 size_t bytes) {
  const spk_window2d *w = &layer->window;
  const kernel_cost *cost = cost_of(kernel);
  if (layer->op == SPK_DEPTHWISE_CONV_2D) return depthwise_nanoseconds(cost, layer);
  spk_layer view;
  const double pixel = pixel_nanoseconds(kernel, layer, &view);
  const int is_cached = layer->dtype == SPK_F32 && w->in_c <= kFewChannels;
  const int unaligned = cost->window > cost->packed_byte;
  const double window = cost->window * (is_cached && unaligned ? kFewChannelsShare : 1.0);
  const double byte = is_window(w) ? window : cost->packed_byte;
  const double share = w->batch >= kSharedBatch && shares_weights(kernel) ? kSharedLoads : 1.0;
  const double work =
      share * byte * (double)(bytes - ends_bytes(kernel, layer)) * computed_pixels(&view) +
      cost->output * spk_elements(w->batch, w->out_h, w->out_w, w->out_c);
  if (layer->op == SPK_FULLY_CONNECTED) return work;
  return work + kConvCall + pixel * read_pixels(&view.window);
}

const spk_kernel *spk_choose_kernel(const spk_layer *layer, const void *weights,
                                    double *nanoseconds) {
  int32_t count;
  const spk_kernel *kernels = spk_kernel_table(&count), *best = NULL;
  for (int32_t i = 0; i < count; ++i) {
    const spk_kernel *kernel = &kernels[i];
    if (kernel->op != layer->op || kernel->dtype != layer->dtype || !kernel->available() ||
        !spk_has_cost(kernel))
      continue;
    const size_t bytes = kernel->pack_size(layer, weights);
    if (bytes == 0) continue;
    const double expected =
        spk_kernel_share(layer->dtype) * kernel_nanoseconds(kernel, layer, bytes);
    if (!best || expected < *nanoseconds) {
      best = kernel;
      *nanoseconds = expected;
    }
  }
  return best;
}

int spk_beats_stock(const spk_layer *layer, double nanoseconds) {
  return spk_wins(nanoseconds, spk_stock_nanoseconds(layer));
}

double spk_expected_nanoseconds(const spk_kernel *kernel, const spk_layer *layer,
                                size_t bytes) {
  return spk_kernel_share(layer->dtype) * kernel_nanoseconds(kernel, layer, bytes);
}

int spk_wins(double nanoseconds, double stock) {
  return nanoseconds * kMargin + kLeastGain < stock;
}
