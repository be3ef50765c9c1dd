#include "delegate/chain_node.h"

#include <stdlib.h>
#include <string.h>

#include "delegate/chain.h"
#include "delegate/claim_weights.h"
#include "delegate/node.h"
#include "delegate/quantization.h"

enum { kAlignment = 64, kLeastMultiplications = 200000 };

typedef struct chain_state {
  spk_delegate *delegate;
  spk_link links[kSpkMostLinks];
  spk_window2d windows[kSpkMostLinks];  // that `chain` was made for
  int32_t count;
  int *leaving;
  int32_t leaving_count;
  int32_t *factors[kSpkMostLinks];  // int8, see spk_fill_requant()
  spk_chain *chain;
  int scratch_tensor;
  size_t planes_bytes, tile_bytes;
  int32_t batch, threads;
} chain_state;

static void chain_free(TfLiteContext *context, void *buffer) {
  (void)context;
  chain_state *state = buffer;
  if (!state) return;
  spk_chain_destroy(state->chain);
  for (int32_t i = 0; i < state->count; ++i) free(state->factors[i]);
  free(state->leaving);
  free(state);
}

static void *chain_init(TfLiteContext *context, const char *buffer, size_t length) {
  (void)length;
  const TfLiteDelegateParams *params = (const void *)buffer;
  spk_delegate *delegate = (spk_delegate *)params->delegate;
  const TfLiteIntArray *outputs = params->output_tensors;
  if (!delegate->being_linked || !outputs) return NULL;
  chain_state *state = calloc(1, sizeof(*state));
  if (!state) return NULL;
  state->delegate = delegate;
  state->count = delegate->being_linked_count;
  memcpy(state->links, delegate->being_linked, sizeof(spk_link) * (size_t)state->count);
  state->leaving_count = outputs->size;
  state->leaving = malloc(sizeof(int) * (size_t)outputs->size + 1);  // dead nodes have none
  if (!state->leaving || context->AddTensors(context, 1, &state->scratch_tensor) != kTfLiteOk) {
    chain_free(context, state);
    return NULL;
  }
  memcpy(state->leaving, outputs->data, sizeof(int) * (size_t)outputs->size);
  return state;
}

static TfLiteStatus fail(TfLiteContext *context, const char *reason) {
  context->ReportError(context, "keras_prune delegate: a chain failed to prepare: %s.", reason);
  return kTfLiteError;
}

static TfLiteIntArray *int_array(int size, const int *data) {
  TfLiteIntArray *array = malloc(sizeof(int) * ((size_t)size + 1));
  if (!array) return NULL;
  array->size = size;
  memcpy(array->data, data, sizeof(int) * (size_t)size);
  return array;
}

// The shapes of all layers, from the first to the last: each gives its output its shape, also
// those that stay within the chain, which nobody allocates.
static const char *find_windows(TfLiteContext *context, const chain_state *state,
                                spk_chain_layer *layers) {
  for (int32_t i = 0; i < state->count; ++i) {
    const spk_window2d *w = &layers[i].layer.window;
    const char *reason = spk_link_layer(context, &state->links[i], &layers[i].layer);
    if (reason) return reason;
    if (w->batch != layers[0].layer.window.batch) return "the batches of its inputs disagree";
    const int dims[4] = {w->batch, w->out_h, w->out_w, w->out_c};
    TfLiteIntArray *shape = int_array(4, dims);
    if (!shape) return "memory is short";
    if (context->ResizeTensor(context, &context->tensors[state->links[i].output], shape) !=
        kTfLiteOk)
      return "an output could not be resized";
  }
  return NULL;
}

static bool same_windows(const chain_state *state, const spk_chain_layer *layers) {
  for (int32_t i = 0; i < state->count; ++i) {
    spk_window2d a = state->windows[i], b = layers[i].layer.window;
    a.batch = b.batch = 1;
    if (memcmp(&a, &b, sizeof(a)) != 0) return false;
  }
  return true;
}

static const char *fill_requant(TfLiteContext *context, chain_state *state, int32_t link,
                                spk_layer *layer) {
  if (layer->dtype != SPK_S8) return NULL;
  const spk_claim *claim = &state->links[link].claim;
  const int32_t channels = layer->window.out_c;
  free(state->factors[link]);
  state->factors[link] = malloc(3 * sizeof(int32_t) * (size_t)channels);
  if (!state->factors[link]) return "memory is short";
  spk_fill_requant(claim->op, claim->activation, &context->tensors[claim->input],
                   &context->tensors[claim->filter], &context->tensors[claim->output], channels,
                   state->factors[link], &layer->requant);
  return NULL;
}

static const char *read_weights(TfLiteContext *context, chain_state *state,
                                spk_chain_layer *layers, void **memory) {
  for (int32_t i = 0; i < state->count; ++i) {
    const spk_claim *claim = &state->links[i].claim;
    if (state->links[i].kind == SPK_LINK_POINTWISE) continue;
    const char *reason;
    memory[2 * i] = spk_claim_weights(context, claim, &layers[i].layer.window, &reason);
    if (reason) return reason;
    layers[i].weights = memory[2 * i];
    reason = fill_requant(context, state, i, &layers[i].layer);
    if (reason) return reason;
    if (claim->bias == kTfLiteOptionalTensor) continue;
    const TfLiteTensor *bias = &context->tensors[claim->bias];  // may be unaligned
    memory[2 * i + 1] = malloc(bias->bytes + 1);
    if (!memory[2 * i + 1]) return "memory is short";
    memcpy(memory[2 * i + 1], bias->data, bias->bytes);
    layers[i].layer.bias = memory[2 * i + 1];
  }
  return NULL;
}

static const char *make_chain(TfLiteContext *context, chain_state *state,
                              spk_chain_layer *layers) {
  void *memory[2 * kSpkMostLinks] = {NULL};
  spk_chain_destroy(state->chain);
  state->chain = NULL;
  const char *reason = read_weights(context, state, layers, memory);
  if (!reason)
    state->chain = spk_chain_create(state->links, layers, state->count, state->leaving,
                                    state->leaving_count, &reason);
  for (int32_t i = 0; i < 2 * state->count; ++i) free(memory[i]);
  for (int32_t i = 0; i < state->count; ++i) state->windows[i] = layers[i].layer.window;
  return reason;
}

static size_t rounded(size_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

// A thread should have some microseconds of work, or waking it costs more than it saves.
static int32_t useful_threads(const TfLiteContext *context, const chain_state *state) {
  const int asked = state->delegate->options.num_threads;
  const int most = asked > 0 ? asked : context->recommended_num_threads;
  double multiplications = 0;
  for (int32_t i = 0; i < state->count; ++i) {
    const spk_window2d *w = &state->windows[i];
    multiplications +=
        (double)w->out_h * w->out_w * w->out_c * w->in_c * w->kernel_h * w->kernel_w;
  }
  const double worth = multiplications / kLeastMultiplications;
  const int32_t threads = most < 1 ? 1 : most > 64 ? 64 : most;
  return threads > worth ? (worth < 1 ? 1 : (int32_t)worth) : threads;
}

static const char *reserve_scratch(TfLiteContext *context, TfLiteNode *node,
                                   chain_state *state) {
  state->planes_bytes = rounded(spk_chain_planes_bytes(state->chain));
  state->tile_bytes = rounded(spk_chain_tile_bytes(state->chain));
  const size_t total =
      state->planes_bytes + state->tile_bytes * (size_t)state->threads + kAlignment;
  if (total > INT32_MAX) return "its planes are too large";
  const int size = (int)total;
  TfLiteIntArray *temporaries = int_array(1, &state->scratch_tensor);
  TfLiteIntArray *shape = int_array(1, &size);
  if (!temporaries || !shape) {
    free(temporaries);
    free(shape);
    return "memory is short";
  }
  free(node->temporaries);
  node->temporaries = temporaries;
  TfLiteTensor *scratch = &context->tensors[state->scratch_tensor];
  scratch->type = kTfLiteInt8;
  scratch->allocation_type = kTfLiteArenaRw;
  return context->ResizeTensor(context, scratch, shape) == kTfLiteOk
             ? NULL
             : "its scratch memory could not be reserved";
}

static TfLiteStatus chain_prepare(TfLiteContext *context, TfLiteNode *node) {
  chain_state *state = node->user_data;
  if (!state) return fail(context, "memory is short");
  spk_chain_layer layers[kSpkMostLinks] = {{.weights = NULL}};
  const char *reason = find_windows(context, state, layers);
  if (!reason && (!state->chain || !same_windows(state, layers)))
    reason = make_chain(context, state, layers);
  if (reason) return fail(context, reason);
  state->batch = layers[0].layer.window.batch;
  state->threads = useful_threads(context, state);
  reason = reserve_scratch(context, node, state);
  return reason ? fail(context, reason) : kTfLiteOk;
}

typedef struct pass_job {
  spk_chain_call call;
  int32_t pass;
} pass_job;

static void *data_of(const void *context, int tensor) {
  return ((const TfLiteContext *)context)->tensors[tensor].data;
}

static void run_units(void *context, void *scratch, int32_t begin, int32_t end) {
  const pass_job *job = context;
  spk_chain_run(&job->call, job->pass, begin, end, scratch);
}

// Tensors that enter or leave have the sizes that prepare() saw.
static bool tensors_fit(const TfLiteContext *context, const chain_state *state) {
  for (int32_t i = 0; i < state->count; ++i) {
    const spk_window2d *w = &state->windows[i];
    const spk_link *link = &state->links[i];
    const size_t element = link->dtype == SPK_S8 ? 1 : sizeof(float);
    const size_t batch = (size_t)state->batch * element;
    const size_t in = batch * (size_t)w->in_h * (size_t)w->in_w * (size_t)w->in_c;
    const size_t out = batch * (size_t)w->out_h * (size_t)w->out_w * (size_t)w->out_c;
    for (int32_t j = 0; j < link->input_count; ++j)
      if (context->tensors[link->inputs[j]].bytes != in) return false;
    if (context->tensors[link->output].bytes != out) return false;
  }
  return true;
}

static TfLiteStatus chain_invoke(TfLiteContext *context, TfLiteNode *node) {
  const chain_state *state = node->user_data;
  if (!state || !tensors_fit(context, state)) return kTfLiteError;
  const uintptr_t begin = (uintptr_t)context->tensors[state->scratch_tensor].data;
  uint8_t *scratch = (uint8_t *)((begin + kAlignment - 1) / kAlignment * kAlignment);
  pass_job pass = {
      .call = {
          .chain = state->chain, .data_of = data_of, .context = context, .planes = scratch}};
  for (pass.call.image = 0; pass.call.image < state->batch; ++pass.call.image) {
    for (pass.pass = 0; pass.pass < spk_chain_passes(state->chain); ++pass.pass) {
      const spk_job job = {.run = run_units,
                           .context = &pass,
                           .scratch = scratch + state->planes_bytes,
                           .stride = state->tile_bytes,
                           .units = spk_chain_units(state->chain, pass.pass)};
      spk_thread_pool_run(state->delegate->pool, &job, state->threads);
    }
  }
  return kTfLiteOk;
}

static const char *chain_profiling_string(const TfLiteContext *context,
                                          const TfLiteNode *node) {
  (void)context;
  const chain_state *state = node->user_data;
  return state ? spk_chain_name(state->links[0].dtype) : NULL;
}

TfLiteRegistration spk_chain_registration(void) {
  return (TfLiteRegistration){
      .init = chain_init,
      .free = chain_free,
      .prepare = chain_prepare,
      .invoke = chain_invoke,
      .profiling_string = chain_profiling_string,
      .custom_name = "KerasPruneDelegate",
      .version = 1,
  };
}
