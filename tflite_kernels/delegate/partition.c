#include "delegate/partition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "delegate/chain_search.h"
#include "delegate/claim_weights.h"
#include "delegate/cost_rule.h"
#include "delegate/node.h"
#include "delegate/stock_cost.h"
#include "delegate/winners.h"

// What we think of one node.
typedef struct verdict {
  const char *reason;  // why not, or NULL
  const char *kernel;
  bool is_faster;                // is expected to beat the stock interpreter
  double sparsity, ours, stock;  // share of zeros; expected nanoseconds
  double stock_s8;               // what stock would take with dense int8 weights, if not int8
  bool is_measured;              // ours was measured, not only expected
} verdict;

// LiteRT 2.1.6 - 2.3.0 fail on an int8 FULLY_CONNECTED behind DENSIFY: those we always take.
static bool is_always_claimed(const spk_claim *claim) {
  return claim->op == SPK_FULLY_CONNECTED && claim->dtype == SPK_S8 &&
         claim->weights != claim->filter;
}

// Weights that are sparse in place: stock kernels misread most of them, and are slow on the
// rest.
static bool is_sparse_in_place(TfLiteContext *context, const spk_claim *claim) {
  return claim->weights == claim->filter && context->tensors[claim->weights].sparsity;
}

static void judge_speed(TfLiteContext *context, const spk_options *options,
                        const spk_claim *claim, verdict *v) {
  if (is_always_claimed(claim) || is_sparse_in_place(context, claim)) return;
  if (options->min_sparsity >= 0) {
    if (v->sparsity < options->min_sparsity) v->reason = "it is less sparse than min_sparsity";
  } else if (!v->is_faster) {
    v->reason = "the stock kernel is expected to be faster, or hardly slower";
  }
}

static verdict judge(TfLiteContext *context, const spk_delegate *delegate,
                     const spk_claim *claim) {
  verdict v = {0};
  spk_layer layer;
  v.reason = spk_claim_layer(context, claim, &layer);
  void *dense = v.reason ? NULL : spk_claim_weights(context, claim, &layer.window, &v.reason);
  if (!v.reason) {
    v.sparsity = spk_share_of_zeros(&layer, dense);
    const spk_choice choice = spk_tuner_choose(delegate->tuner, &layer, dense);
    v.kernel = choice.kernel->name;
    v.ours = choice.nanoseconds;
    v.stock = choice.stock;
    v.is_measured = choice.is_measured;
    const double correction = v.stock / spk_stock_nanoseconds(&layer);
    if (claim->dtype == SPK_F32) {
      layer.dtype = SPK_S8;
      v.stock_s8 = correction * spk_stock_nanoseconds(&layer);
      layer.dtype = SPK_F32;
    }
    v.is_faster = spk_wins(v.ours, v.stock);
    judge_speed(context, &delegate->options, claim, &v);
  }
  free(dense);
  return v;
}

static void report(const spk_claim *claim, const verdict *v, int node) {
  if (v->reason) {
    fprintf(stderr, "keras_prune: node %d declined: %s", node, v->reason);
  } else {
    fprintf(stderr, "keras_prune: node %d claimed%s: %s", node,
            claim->densify >= 0 ? " with its DENSIFY" : "", v->kernel);
  }
  if (v->kernel)
    fprintf(stderr, " (%.1f %% zeros, %s %.1f us, stock %.1f us", 100 * v->sparsity,
            v->is_measured ? "measured" : "expected", v->ours / 1e3, v->stock / 1e3);
  if (v->kernel && v->stock_s8 > 0)
    fprintf(stderr, ", stock with dense int8 weights %.1f us", v->stock_s8 / 1e3);
  if (v->kernel) fputc(')', stderr);
  fputc('\n', stderr);
}

static void report_winners(int node, const char *reason) {
  fprintf(stderr, "keras_prune: node %d %s%s\n", node,
          reason ? "declined: " : "claimed: a custom operator, WinnerTakeAll",
          reason ? reason : "");
}

static TfLiteStatus claim_node(TfLiteContext *context, spk_delegate *delegate,
                               const spk_claim *claim) {
  struct {
    int size, data[2];
  } nodes = {1, {claim->node, 0}};
  if (claim->densify >= 0) {
    nodes.size = 2;
    nodes.data[0] = claim->densify;
    nodes.data[1] = claim->node;
  }
  delegate->being_claimed = claim;
  const TfLiteStatus status = context->ReplaceNodeSubsetsWithDelegateKernels(
      context, spk_node_registration(), (const TfLiteIntArray *)(const void *)&nodes,
      &delegate->base);
  delegate->being_claimed = NULL;
  return status;
}

// Each claim changes the plan of the interpreter, so this goes through a copy of it and looks
// for everything else in the present one.
static TfLiteStatus claim_nodes(TfLiteContext *context, spk_delegate *delegate,
                                const TfLiteIntArray *plan) {
  for (int i = 0; i < plan->size; ++i) {
    spk_claim claim = {0};
    TfLiteIntArray *present;
    if (context->GetExecutionPlan(context, &present) != kTfLiteOk) return kTfLiteError;
    verdict v = {0};
    if (spk_is_winners_node(context, plan->data[i], &v.reason)) {
      if (delegate->options.verbose) report_winners(plan->data[i], v.reason);
      if (!v.reason && spk_claim_winners(context, &delegate->base, plan->data[i]) != kTfLiteOk)
        return kTfLiteError;
      continue;
    }
    v.reason = spk_claim_node(context, present, plan->data[i], &claim);
    if (v.reason && !*v.reason) continue;
    if (!v.reason) v = judge(context, delegate, &claim);
    if (delegate->options.verbose) report(&claim, &v, plan->data[i]);
    if (!v.reason && claim_node(context, delegate, &claim) != kTfLiteOk) return kTfLiteError;
  }
  return kTfLiteOk;
}

static TfLiteIntArray *copy_of_plan(TfLiteContext *context) {
  TfLiteIntArray *present;
  if (context->GetExecutionPlan(context, &present) != kTfLiteOk) return NULL;
  const size_t bytes = sizeof(int) * ((size_t)present->size + 1);
  TfLiteIntArray *plan = malloc(bytes);
  if (plan) memcpy(plan, present, bytes);
  return plan;
}

// Chains first; what they leave is claimed node by node.
TfLiteStatus spk_delegate_prepare(TfLiteContext *context, TfLiteDelegate *base) {
  spk_delegate *delegate = (spk_delegate *)base;
  TfLiteStatus (*const steps[])(TfLiteContext *, spk_delegate *, const TfLiteIntArray *) = {
      spk_claim_chains, claim_nodes};
  TfLiteStatus status = kTfLiteOk;
  pthread_mutex_lock(&delegate->claiming);
  for (int i = 0; i < 2 && status == kTfLiteOk; ++i) {
    TfLiteIntArray *plan = copy_of_plan(context);
    status = plan ? steps[i](context, delegate, plan) : kTfLiteError;
    free(plan);
  }
  pthread_mutex_unlock(&delegate->claiming);
  spk_tuner_save(delegate->tuner);
  return status;
}
