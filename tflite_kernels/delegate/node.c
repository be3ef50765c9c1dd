#include "delegate/node.h"

#include <stdlib.h>
#include <string.h>

#include "delegate/claim_weights.h"
#include "delegate/quantization.h"
#include "delegate/stock_cost.h"

enum { kAlignment = 64, kNanosecondsPerThread = 10000 };

typedef struct node_state {
  spk_claim claim;
  spk_delegate *delegate;
  spk_layer layer;
  const spk_kernel *kernel;
  void *packed;
  int32_t *factors;  // int8, see spk_fill_requant()
  int32_t channels;  // that there are factors for
  void *bias;
  int scratch_tensor;
  size_t scratch_stride;  // bytes for each thread
} node_state;

static void *aligned_buffer(size_t bytes) {
  if (bytes > SIZE_MAX - kAlignment) return NULL;
  const size_t rounded = (bytes + kAlignment) / kAlignment * kAlignment;
  return aligned_alloc(kAlignment, rounded);
}

static TfLiteIntArray *int_array(int size) {
  TfLiteIntArray *array = malloc(sizeof(int) * ((size_t)size + 1));
  if (array) array->size = size;
  return array;
}

static void node_free(TfLiteContext *context, void *buffer) {
  (void)context;
  node_state *state = buffer;
  if (!state) return;
  free(state->packed);
  free(state->factors);
  free(state->bias);
  free(state);
}

static bool copy_bias(TfLiteContext *context, node_state *state, int32_t channels) {
  if (state->claim.bias == kTfLiteOptionalTensor) return true;
  state->bias = aligned_buffer((size_t)channels * 4);
  if (!state->bias) return false;
  memcpy(state->bias, context->tensors[state->claim.bias].data, (size_t)channels * 4);
  return true;
}

static void *node_init(TfLiteContext *context, const char *buffer, size_t length) {
  (void)length;
  const TfLiteDelegateParams *params = (const void *)buffer;
  spk_delegate *delegate = (spk_delegate *)params->delegate;
  if (!delegate->being_claimed) return NULL;
  node_state *state = calloc(1, sizeof(*state));
  if (!state) return NULL;
  state->claim = *delegate->being_claimed;
  state->delegate = delegate;
  const int32_t channels =
      context->tensors[state->claim.filter].dims->data[spk_channel_dimension(state->claim.op)];
  state->channels = channels;
  state->factors = malloc(3 * sizeof(int32_t) * (size_t)channels);
  if (!state->factors || !copy_bias(context, state, channels) ||
      context->AddTensors(context, 1, &state->scratch_tensor) != kTfLiteOk) {
    node_free(context, state);
    return NULL;
  }
  return state;
}

static TfLiteStatus fail(TfLiteContext *context, const char *reason) {
  context->ReportError(context, "keras_prune delegate: a node failed to prepare: %s.", reason);
  return kTfLiteError;
}

// What the packed weights depend on; kernels that look at the batch do so for threads only.
static bool same_packing(const spk_layer *a, const spk_layer *b) {
  spk_window2d left = a->window, right = b->window;
  if (b->threads <= 1) left.batch = right.batch = 1;
  return a->threads == b->threads && memcmp(&left, &right, sizeof(left)) == 0;
}

// Decodes the weights, chooses the kernel for them and packs them.
static const char *pack_weights(TfLiteContext *context, node_state *state) {
  const char *reason;
  void *dense = spk_claim_weights(context, &state->claim, &state->layer.window, &reason);
  free(state->packed);
  state->packed = NULL;
  if (!reason) {
    state->kernel = spk_tuner_choose(state->delegate->tuner, &state->layer, dense).kernel;
    const size_t size = state->kernel->pack_size(&state->layer, dense);
    state->packed = aligned_buffer(size);
    if (!state->packed ||
        state->kernel->pack(&state->layer, dense, state->packed, size) != SPK_OK)
      reason = "its weights could not be packed";
  }
  free(dense);
  return reason;
}

static TfLiteStatus resize_output(TfLiteContext *context, const node_state *state) {
  const spk_window2d *w = &state->layer.window;
  const TfLiteIntArray *in = context->tensors[state->claim.input].dims;
  const bool conv = state->claim.op != SPK_FULLY_CONNECTED;
  const int rank = conv ? 4 : state->claim.keep_num_dims ? in->size : 2;
  TfLiteIntArray *shape = int_array(rank);
  if (!shape) return kTfLiteError;
  if (conv) {
    const int dims[4] = {w->batch, w->out_h, w->out_w, w->out_c};
    memcpy(shape->data, dims, sizeof(dims));
  } else {
    for (int i = 0; i + 1 < rank; ++i)
      shape->data[i] = state->claim.keep_num_dims ? in->data[i] : w->batch;
    shape->data[rank - 1] = w->out_c;
  }
  return context->ResizeTensor(context, &context->tensors[state->claim.output], shape);
}

// A thread should have some microseconds of work, or waking it costs more than it saves.
static int32_t useful_threads(const TfLiteContext *context, const node_state *state) {
  const int asked = state->delegate->options.num_threads;
  const int most = asked > 0 ? asked : context->recommended_num_threads;
  const double worth = spk_stock_nanoseconds(&state->layer) / kNanosecondsPerThread;
  const int32_t threads = most < 1 ? 1 : most > 64 ? 64 : most;
  return threads > worth ? (worth < 1 ? 1 : (int32_t)worth) : threads;
}

static TfLiteStatus reserve_scratch(TfLiteContext *context, TfLiteNode *node,
                                    node_state *state) {
  const size_t bytes = state->kernel->scratch(&state->layer);
  if (bytes > INT32_MAX - 2 * kAlignment) return kTfLiteError;
  state->scratch_stride = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  const size_t total = state->scratch_stride * (size_t)state->layer.threads + kAlignment;
  if (total > INT32_MAX) return kTfLiteError;
  TfLiteIntArray *temporaries = int_array(1), *shape = int_array(1);
  if (!temporaries || !shape) {
    free(temporaries);
    free(shape);
    return kTfLiteError;
  }
  free(node->temporaries);
  temporaries->data[0] = state->scratch_tensor;
  node->temporaries = temporaries;
  shape->data[0] = (int)total;
  TfLiteTensor *scratch = &context->tensors[state->scratch_tensor];
  scratch->type = kTfLiteInt8;
  scratch->allocation_type = kTfLiteArenaRw;
  return context->ResizeTensor(context, scratch, shape);
}

static void fill_parameters(TfLiteContext *context, node_state *state) {
  const spk_claim *claim = &state->claim;
  spk_layer *layer = &state->layer;
  layer->bias = state->bias;
  if (claim->dtype == SPK_F32) {
    spk_float_range(claim->activation, &layer->act_min, &layer->act_max);
    return;
  }
  const int32_t channels = layer->window.out_c;
  spk_fill_requant(claim->op, claim->activation, &context->tensors[claim->input],
                   &context->tensors[claim->filter], &context->tensors[claim->output], channels,
                   state->factors, &layer->requant);
}

static TfLiteStatus node_prepare(TfLiteContext *context, TfLiteNode *node) {
  node_state *state = node->user_data;
  if (!state) return fail(context, "memory is short");
  const spk_layer before = state->layer;
  const char *reason = spk_claim_layer(context, &state->claim, &state->layer);
  if (!reason && state->layer.window.out_c != state->channels)
    reason = "the shape of its weights has changed";
  if (reason) return fail(context, reason);
  fill_parameters(context, state);
  state->layer.threads = useful_threads(context, state);
  if (!state->packed || !same_packing(&before, &state->layer))
    reason = pack_weights(context, state);
  if (reason) return fail(context, reason);
  if (reserve_scratch(context, node, state) != kTfLiteOk)
    return fail(context, "its scratch memory could not be reserved");
  return resize_output(context, state);
}

static void run_units(void *context, void *scratch, int32_t begin, int32_t end) {
  const node_state *state = ((void **)context)[0];
  const spk_args args = {.layer = &state->layer,
                         .packed = state->packed,
                         .input = ((void **)context)[1],
                         .output = ((void **)context)[2],
                         .scratch = scratch,
                         .begin = begin,
                         .end = end};
  state->kernel->run(&args);
}

// Tensors have the sizes that prepare() saw, also in files where several nodes write to one.
static bool tensors_fit(const TfLiteContext *context, const node_state *state) {
  const spk_window2d *w = &state->layer.window;
  const size_t element = state->claim.dtype == SPK_F32 ? sizeof(float) : 1;
  const size_t in = (size_t)w->batch * (size_t)w->in_h * (size_t)w->in_w * (size_t)w->in_c;
  const size_t out = (size_t)w->batch * (size_t)w->out_h * (size_t)w->out_w * (size_t)w->out_c;
  const TfLiteTensor *input = &context->tensors[state->claim.input];
  const TfLiteTensor *output = &context->tensors[state->claim.output];
  return input->data && output->data && input->bytes == in * element &&
         output->bytes == out * element;
}

static TfLiteStatus node_invoke(TfLiteContext *context, TfLiteNode *node) {
  node_state *state = node->user_data;
  if (node->outputs && node->outputs->size == 0) return kTfLiteOk;  // nobody reads it
  if (!state || !tensors_fit(context, state)) return kTfLiteError;
  void *call[3] = {state, context->tensors[state->claim.input].data,
                   context->tensors[state->claim.output].data};
  const uintptr_t scratch = (uintptr_t)context->tensors[state->scratch_tensor].data;
  const spk_job job = {
      .run = run_units,
      .context = call,
      .scratch = (uint8_t *)((scratch + kAlignment - 1) / kAlignment * kAlignment),
      .stride = state->scratch_stride,
      .units = state->kernel->units(&state->layer),
  };
  spk_thread_pool_run(state->delegate->pool, &job, state->layer.threads);
  return kTfLiteOk;
}

static const char *node_profiling_string(const TfLiteContext *context, const TfLiteNode *node) {
  (void)context;
  const node_state *state = node->user_data;
  return state && state->kernel ? state->kernel->name : NULL;
}

TfLiteRegistration spk_node_registration(void) {
  return (TfLiteRegistration){
      .init = node_init,
      .free = node_free,
      .prepare = node_prepare,
      .invoke = node_invoke,
      .profiling_string = node_profiling_string,
      .custom_name = "KerasPruneDelegate",
      .version = 1,
  };
}
