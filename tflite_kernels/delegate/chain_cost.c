#include "delegate/chain_cost.h"

#include <string.h>

#include "delegate/stock_cost.h"
#include "formats/blocks_f32.h"

// Nanoseconds for a byte of packed weights and a pixel, by the height of the blocks, where the
// window is one pixel (`byte`) or larger; for an element that is written or read; for a tap of
// a depthwise window; for a call. Fitted like those of cost_rule.c, on an AMD EPYC of the Zen 5
// generation; those for AVX2 are estimates.
typedef struct chain_costs {
  double byte[3], window[3], element, enter, leave, tap, call;
} chain_costs;

static const chain_costs kAvx512 = {
    {0.0019, 0.0019, 0.0017}, {0.0031, 0.0023, 0.0021}, 0.05, 0.1, 0.09, 0.023, 600};
static const chain_costs kAvx2 = {
    {0.0026, 0.0028, 0.0030}, {0.0039, 0.0039, 0.0045}, 0.05, 0.12, 0.14, 0.04, 600};

// The interpreter, for an element of a sum or an activation and for a tap of a depthwise
// window.
static const double kStockElement = 0.06, kStockTap = 0.018, kStockCall = 300;

static const chain_costs *costs_here(void) {
  const spk_planes_kernels *kernels = spk_planes_kernels_here();
  return kernels && strcmp(kernels->isa, "avx512") == 0 ? &kAvx512 : &kAvx2;
}

static double elements(int32_t h, int32_t w, int32_t c, int32_t batch) {
  return (double)h * w * c * batch;
}

// Pixels that are computed: windows of more than a pixel leave gaps between rows.
static double pixels_of(const spk_window2d *w) {
  return elements(w->out_h, w->out_w + (w->kernel_w > 1), 1, w->batch);
}

static double conv_nanoseconds(const spk_window2d *w, const float *weights, int32_t rows) {
  const int32_t cols = w->kernel_h * w->kernel_w * w->in_c;
  const size_t bytes = spk_blocks_f32_pack_size(weights, w->out_c, cols, rows);
  const bool is_window = w->kernel_h * w->kernel_w > 1;
  const double *byte = is_window ? costs_here()->window : costs_here()->byte;
  return byte[rows / 2] * (double)bytes * pixels_of(w);
}

int32_t spk_link_rows(const spk_window2d *w, const float *weights) {
  int32_t best = 1;
  for (int32_t rows = 2; rows <= 4; rows *= 2)
    if (conv_nanoseconds(w, weights, rows) < conv_nanoseconds(w, weights, best)) best = rows;
  return best;
}

spk_link_cost spk_cost_of_link(const spk_link *link, const spk_window2d *w,
                               const float *weights) {
  const chain_costs *here = costs_here();
  const double outputs = elements(w->out_h, w->out_w, w->out_c, w->batch);
  const double enter = here->enter * elements(w->in_h, w->in_w, w->in_c, w->batch);
  const double taps = outputs * w->kernel_h * w->kernel_w;
  spk_link_cost cost = {.inside = here->element * outputs,
                        .enter = {enter, enter},
                        .leave = here->leave * outputs};
  if (link->kind == SPK_LINK_CONV_2D) {
    const spk_layer layer = {.op = SPK_CONV_2D, .dtype = SPK_F32, .window = *w};
    cost.inside += conv_nanoseconds(w, weights, link->rows);
    cost.stock = spk_stock_nanoseconds(&layer);
  } else if (link->kind == SPK_LINK_DEPTHWISE) {
    cost.inside += here->tap * taps;
    cost.stock = kStockCall + kStockTap * taps;
  } else {
    cost.stock = kStockCall + kStockElement * outputs;
  }
  return cost;
}

double spk_chain_call_nanoseconds(void) { return costs_here()->call; }
