#include "delegate/chain_cost.h"

#include <math.h>
#include <string.h>

#include "delegate/chain_unroll.h"
#include "delegate/stock_cost.h"
#include "formats/blocks4_s8.h"
#include "formats/blocks_f32.h"
#include "kernels/x86/split_blocks4_s8.h"

// Nanoseconds for a byte of packed weights and a pixel, by the height of the blocks, where the
// window is one pixel (`byte`) or larger; for an element that is written or read; for a tap of
// a depthwise window, by its stride; for a call. Fitted like those of cost_rule.c, on an AMD
// EPYC of the Zen 5 generation, those of int8 for AVX2 and AVX-VNNI too; those of float32 for
// AVX2 are estimates. Pointwise chains and depthwise blocks of int8, of 7x7 to 112x112 pixels,
// took 0.8 to 1.2 times what it says.
typedef struct chain_costs {
  double byte[3], window[3], element, enter, leave, tap[2];
} chain_costs;

static const double kChainCall = 600;

// Rows of windows are looked for where they lie: so many times as long as pixels, by a profile
// of MobileNetV2's first layer.
static const double kUnrolledEnter = 3;

static const chain_costs kAvx512 = {
    {0.0019, 0.0019, 0.0017}, {0.0031, 0.0023, 0.0021}, 0.05, 0.1, 0.09, {0.023, 0}};
static const chain_costs kAvx2 = {
    {0.0026, 0.0028, 0.0030}, {0.0039, 0.0039, 0.0045}, 0.05, 0.12, 0.14, {0.04, 0}};
static const chain_costs kS8Avx512Vnni = {
    {0.0019, 0.0017, 0.0021}, {0}, 0.006, 0.018, 0.012, {0.006, 0.006}};
static const chain_costs kS8AvxVnni = {
    {0.0031, 0.0032, 0.0038}, {0}, 0.012, 0.03, 0.025, {0.0175, 0.04}};
static const chain_costs kS8Avx2 = {
    {0.0043, 0.0057, 0.0066}, {0}, 0.012, 0.03, 0.025, {0.027, 0.047}};

// The interpreter, for an element of a sum or an activation and for a tap of a depthwise
// window.
static const double kStockElement = 0.06, kStockTap = 0.018, kStockCall = 300;

static const chain_costs *costs_here(spk_dtype dtype) {
  const spk_planes_kernels *kernels = spk_planes_kernels_here(dtype);
  if (dtype == SPK_S8)
    return !kernels || strcmp(kernels->isa, "avx512vnni") == 0 ? &kS8Avx512Vnni
           : strcmp(kernels->isa, "avxvnni") == 0              ? &kS8AvxVnni
                                                               : &kS8Avx2;
  return kernels && strcmp(kernels->isa, "avx512") == 0 ? &kAvx512 : &kAvx2;
}

static double elements(int32_t h, int32_t w, int32_t c, int32_t batch) {
  return (double)h * w * c * batch;
}

// Pixels that are computed: windows of more than a pixel leave gaps between rows. Those of int8
// are in other layers of the chain; tiles are whole vectors there.
static double pixels_of(const spk_window2d *w, spk_dtype dtype) {
  if (dtype == SPK_F32) return elements(w->out_h, w->out_w + (w->kernel_w > 1), 1, w->batch);
  return w->batch * ceil(elements(w->out_h, w->out_w + 1, 1, 1) / kSpkPlanesVector) *
         kSpkPlanesVector;
}

static size_t packed_bytes(const spk_link *link, const spk_layer *layer, const void *weights,
                           int32_t rows) {
  const int32_t run = spk_run_of_link(link, &layer->window);
  const int32_t cols = spk_layer_cols(layer), channels = layer->window.out_c;
  if (layer->dtype == SPK_F32) return spk_blocks_f32_pack_size(weights, channels, cols, rows);
  size_t bytes = spk_blocks4_s8_pack_size(weights, channels, cols, run, rows);
#if defined(__x86_64__)
  if (spk_planes_kernels_here(SPK_S8)->splits)
    bytes += spk_split_blocks4_s8_extra(weights, channels, cols, run, rows);
#endif
  return bytes;
}

static double conv_nanoseconds(const spk_link *link, const spk_layer *layer,
                               const void *weights, int32_t rows) {
  const chain_costs *here = costs_here(layer->dtype);
  const spk_window2d *w = &layer->window;
  const bool is_pixel = layer->dtype == SPK_S8 || w->kernel_h * w->kernel_w == 1;
  const double *byte = is_pixel ? here->byte : here->window;
  return byte[rows / 2] * (double)packed_bytes(link, layer, weights, rows) *
         pixels_of(w, layer->dtype);
}

int32_t spk_link_rows(const spk_link *link, const spk_layer *layer, const void *weights) {
  int32_t best = 1;
  for (int32_t rows = 2; rows <= 4; rows *= 2)
    if (conv_nanoseconds(link, layer, weights, rows) <
        conv_nanoseconds(link, layer, weights, best))
      best = rows;
  return best;
}

static double stock_nanoseconds(const spk_link *link, const spk_layer *layer, double outputs) {
  const spk_window2d *w = &layer->window;
  if (link->kind == SPK_LINK_POINTWISE) return kStockCall + kStockElement * outputs;
  if (link->kind == SPK_LINK_CONV_2D || layer->dtype == SPK_S8)
    return spk_stock_nanoseconds(layer);
  return kStockCall + kStockTap * outputs * w->kernel_h * w->kernel_w;
}

spk_link_cost spk_cost_of_link(const spk_link *link, const spk_layer *layer,
                               const void *weights) {
  const chain_costs *here = costs_here(layer->dtype);
  const spk_window2d *w = &layer->window;
  const double outputs = elements(w->out_h, w->out_w, w->out_c, w->batch);
  const bool unrolls = spk_unrolls(link, w);
  const spk_window2d in = unrolls ? spk_unrolled(w) : *w;
  const double enter = here->enter * (unrolls ? kUnrolledEnter : 1.0) *
                       elements(in.in_h, in.in_w, in.in_c, in.batch);
  spk_link_cost cost = {.inside = here->element * outputs,
                        .stock = stock_nanoseconds(link, layer, outputs),
                        .enter = {enter, enter},
                        .leave = here->leave * outputs};
  if (link->kind == SPK_LINK_CONV_2D)
    cost.inside += conv_nanoseconds(link, layer, weights, link->rows);
  else if (link->kind == SPK_LINK_DEPTHWISE)
    cost.inside += here->tap[w->stride_w - 1] * outputs * w->kernel_h * w->kernel_w;
  return cost;
}

double spk_chain_call_nanoseconds(void) { return kChainCall; }
