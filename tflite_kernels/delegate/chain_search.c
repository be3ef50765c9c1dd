// Nodes that follow each other in the plan, but for DENSIFY, which reads constants only, can
// always become one partition: whatever runs between two of them would stand between them. Such
// a run is cut into chains and single nodes so that the expected time is the least.
#include "delegate/chain_search.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "delegate/chain.h"
#include "delegate/chain_cost.h"
#include "delegate/chain_node.h"
#include "delegate/chain_unroll.h"
#include "delegate/claim_weights.h"
#include "delegate/cost_rule.h"
#include "delegate/machine_speed.h"

typedef struct run_link {
  spk_link link;
  spk_link_cost cost;
  double single, zeros;  // the best without a chain; the share of zeros in the weights
  bool is_read_outside;  // of the run, or by nobody but the model's user
  bool unrolls;
} run_link;

typedef struct run {
  run_link links[kSpkMostLinks];
  int32_t count;
  int32_t cut[kSpkMostLinks + 1];  // best begin of what ends before a link
} run;

// The expected time without a chain.
static double single_nanoseconds(const spk_delegate *delegate, const spk_layer *layer,
                                 const void *weights, double stock) {
  const spk_choice alone = spk_tuner_choose(delegate->tuner, layer, weights);
  const bool must = delegate->options.min_sparsity >= 0;
  return must || spk_wins(alone.nanoseconds, stock) ? alone.nanoseconds : stock;
}

// Weighs a link; false when it cannot be one.
static bool weigh(TfLiteContext *context, const spk_delegate *delegate, run_link *l) {
  spk_layer layer;
  if (!spk_planes_kernels_here(l->link.dtype) || spk_link_layer(context, &l->link, &layer))
    return false;
  const double scale = delegate->tuner ? spk_machine_factor(&layer) : 1;
  const bool is_sparse = l->link.kind == SPK_LINK_CONV_2D;
  void *weights = NULL;
  if (is_sparse || (l->link.kind == SPK_LINK_DEPTHWISE && l->link.dtype == SPK_S8)) {
    const char *reason;
    weights = spk_claim_weights(context, &l->link.claim, &layer.window, &reason);
    if (!weights) return false;
  }
  if (is_sparse) {
    l->unrolls = spk_unrolls(&l->link, &layer.window);
    l->zeros = spk_share_of_zeros(&layer, weights);
    l->link.rows = spk_link_rows(&l->link, &layer, weights);
  }
  l->cost = spk_cost_of_link(&l->link, &layer, weights);
  l->cost.inside *= scale;
  l->cost.stock *= scale;
  l->cost.leave *= scale;
  for (int i = 0; i < 2; ++i) l->cost.enter[i] *= scale;
  l->single =
      weights ? single_nanoseconds(delegate, &layer, weights, l->cost.stock) : l->cost.stock;
  free(weights);
  return !is_sparse || l->zeros >= delegate->options.min_sparsity;
}

static bool reads(const spk_link *link, int tensor) {
  for (int32_t i = 0; i < link->input_count; ++i)
    if (link->inputs[i] == tensor) return true;
  return false;
}

// Sets is_read_outside of all links.
static void find_readers(TfLiteContext *context, const TfLiteIntArray *plan, run *r) {
  for (int32_t i = 0; i < r->count; ++i) {
    int inside = 0, all = 0;
    const int tensor = r->links[i].link.output;
    for (int32_t j = 0; j < r->count; ++j)
      for (int k = 0; k < r->links[j].link.input_count; ++k)
        inside += r->links[j].link.inputs[k] == tensor;
    for (int n = 0; n < plan->size; ++n) {
      TfLiteNode *node;
      TfLiteRegistration *registration;
      if (context->GetNodeAndRegistration(context, plan->data[n], &node, &registration) !=
              kTfLiteOk ||
          !node)
        continue;
      for (int j = 0; j < node->inputs->size; ++j) all += node->inputs->data[j] == tensor;
    }
    r->links[i].is_read_outside = inside == 0 || all > inside;
  }
}

static bool is_made_in(const run *r, int tensor, int32_t from, int32_t to) {
  for (int32_t i = from; i < to; ++i)
    if (r->links[i].link.output == tensor) return true;
  return false;
}

static bool is_read_in(const run *r, int tensor, int32_t from, int32_t to) {
  for (int32_t i = from; i < to; ++i)
    if (reads(&r->links[i].link, tensor)) return true;
  return false;
}

// The expected time of the links [from, to) as a chain.
static double chain_nanoseconds(const run *r, int32_t from, int32_t to) {
  double total = spk_chain_call_nanoseconds();
  for (int32_t i = from; i < to; ++i) {
    const run_link *l = &r->links[i];
    total += l->cost.inside;
    for (int32_t j = 0; j < l->link.input_count; ++j) {
      const int tensor = l->link.inputs[j];
      if (!is_made_in(r, tensor, from, i) && !is_read_in(r, tensor, from, i))
        total += l->cost.enter[j];
    }
    if (l->is_read_outside || is_read_in(r, l->link.output, to, r->count))
      total += l->cost.leave;
  }
  return total;
}

static bool has_convolution(const run *r, int32_t from, int32_t to) {
  for (int32_t i = from; i < to; ++i)
    if (r->links[i].link.kind == SPK_LINK_CONV_2D) return true;
  return false;
}

// Does a link unroll what the chain [from, to) makes, or also reads as it is?
static bool unrolls_shared(const run *r, int32_t from, int32_t to) {
  for (int32_t i = from; i < to; ++i) {
    const int tensor = r->links[i].link.inputs[0];
    if (r->links[i].unrolls &&
        (is_made_in(r, tensor, from, to) || is_read_in(r, tensor, from, i) ||
         is_read_in(r, tensor, i + 1, to)))
      return true;
  }
  return false;
}

// Finds the cheapest cuts. `always`: chains wherever there can be one, as long as they can be.
static void cut_run(run *r, bool always) {
  double best[kSpkMostLinks + 1] = {0};
  for (int32_t to = 1; to <= r->count; ++to) {
    double singles = r->links[to - 1].single;
    best[to] = best[to - 1] + (always ? 1 : singles);
    r->cut[to] = to - 1;
    for (int32_t from = to - 2; from >= 0; --from) {
      singles += r->links[from].single;
      if (!has_convolution(r, from, to) || unrolls_shared(r, from, to)) continue;
      const double chain = always ? 1 : chain_nanoseconds(r, from, to);
      if ((!always && !spk_wins(chain, singles)) || best[from] + chain > best[to]) continue;
      best[to] = best[from] + chain;
      r->cut[to] = from;
    }
  }
}

static const char *name_of(const spk_link *link) {
  static const char *const blocks_s8[] = {"blocks1x4", "blocks2x4", "blocks4x4"};
  static const char *const names[] = {"add", "mul", "clamp", "hard_swish"};
  if (link->kind == SPK_LINK_DEPTHWISE) return "depthwise";
  if (link->kind == SPK_LINK_POINTWISE) return names[link->function];
  if (link->dtype == SPK_S8) return blocks_s8[link->rows / 2];
  return link->rows == 4 ? "blocks4x1" : link->rows == 2 ? "blocks2x1" : "blocks1x1";
}

static void report(const run *r, int32_t from, int32_t to) {
  for (int32_t i = from; i < to; ++i) {
    const run_link *l = &r->links[i];
    fprintf(stderr, "keras_prune: node %d claimed%s: %s %s", l->link.claim.node,
            l->link.claim.densify >= 0 ? " with its DENSIFY" : "",
            spk_chain_name(l->link.dtype), name_of(&l->link));
    if (l->link.kind != SPK_LINK_POINTWISE)
      fprintf(stderr, " (%.1f %% zeros, expected %.1f us, stock %.1f us)", 100 * l->zeros,
              l->cost.inside / 1e3, l->cost.stock / 1e3);
    fputc('\n', stderr);
  }
}

// Does the interpreter make one partition of these nodes?
static bool is_one_partition(TfLiteContext *context, const TfLiteIntArray *nodes) {
  TfLiteDelegateParams *partitions = NULL;
  int count = 0;
  return context->PreviewDelegatePartitioning &&
         context->PreviewDelegatePartitioning(context, nodes, &partitions, &count) ==
             kTfLiteOk &&
         count == 1;
}

static TfLiteStatus claim_chain(TfLiteContext *context, spk_delegate *delegate, const run *r,
                                int32_t from, int32_t to) {
  struct {
    int size, data[2 * kSpkMostLinks];
  } nodes = {0};
  spk_link links[kSpkMostLinks];
  for (int32_t i = from; i < to; ++i) {
    links[i - from] = r->links[i].link;
    if (links[i - from].claim.densify >= 0)
      nodes.data[nodes.size++] = links[i - from].claim.densify;
    nodes.data[nodes.size++] = links[i - from].claim.node;
  }
  const TfLiteIntArray *list = (const TfLiteIntArray *)(const void *)&nodes;
  if (!is_one_partition(context, list)) return kTfLiteOk;
  if (delegate->options.verbose) report(r, from, to);
  delegate->being_linked = links;
  delegate->being_linked_count = to - from;
  const TfLiteStatus status = context->ReplaceNodeSubsetsWithDelegateKernels(
      context, spk_chain_registration(), list, &delegate->base);
  delegate->being_linked = NULL;
  return status;
}

static TfLiteStatus claim_run(TfLiteContext *context, spk_delegate *delegate,
                              const TfLiteIntArray *plan, run *r) {
  if (r->count < 2) return kTfLiteOk;
  find_readers(context, plan, r);
  cut_run(r, delegate->options.chains == SPK_CHAINS_ALWAYS);
  for (int32_t to = r->count; to > 0; to = r->cut[to]) {
    if (to - r->cut[to] < 2) continue;
    if (claim_chain(context, delegate, r, r->cut[to], to) != kTfLiteOk) return kTfLiteError;
  }
  return kTfLiteOk;
}

static bool is_densify(TfLiteContext *context, int node_index) {
  TfLiteNode *node;
  TfLiteRegistration *registration;
  return context->GetNodeAndRegistration(context, node_index, &node, &registration) ==
             kTfLiteOk &&
         registration && registration->builtin_code == kTfLiteBuiltinDensify;
}

// `plan` is a copy: claiming changes that of the interpreter, but not the numbers of nodes.
TfLiteStatus spk_claim_chains(TfLiteContext *context, spk_delegate *delegate,
                              const TfLiteIntArray *plan) {
  if (delegate->options.chains == SPK_CHAINS_OFF) return kTfLiteOk;
  run *r = calloc(1, sizeof(*r));
  if (!r) return kTfLiteError;
  TfLiteStatus status = kTfLiteOk;
  for (int i = 0; i < plan->size && status == kTfLiteOk; ++i) {
    if (is_densify(context, plan->data[i])) continue;
    run_link *next = &r->links[r->count];
    *next = (run_link){.zeros = 0};
    const bool fits = !spk_read_link(context, plan, plan->data[i], &next->link) &&
                      weigh(context, delegate, next);
    const bool differs = r->count > 0 && next->link.dtype != r->links[0].link.dtype;
    if (fits && !differs) {
      if (++r->count < kSpkMostLinks) continue;
    }
    const run_link first = *next;
    status = claim_run(context, delegate, plan, r);
    r->count = fits && differs;
    if (r->count) r->links[0] = first;
  }
  if (status == kTfLiteOk) status = claim_run(context, delegate, plan, r);
  free(r);
  return status;
}
