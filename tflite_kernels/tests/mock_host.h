// An interpreter that has just what a delegate sees of one: tensors, nodes, and the calls of
// TfLiteContext. Every buffer has exactly the bytes that its tensor says, so that
// AddressSanitizer sees one too many.
#ifndef SPK_TESTS_MOCK_HOST_H_
#define SPK_TESTS_MOCK_HOST_H_

#include <string.h>

#include "delegate/plugin.h"
#include "tests/test.h"

enum { kHostTensors = 160, kHostNodes = 64 };
static const int64_t kHostMostBytes = 1 << 24;

typedef struct host {
  TfLiteContext context;  // first: the delegate's calls come back with its address
  TfLiteTensor tensors[kHostTensors];
  int32_t tensor_count;
  struct host_node {
    TfLiteNode node;
    TfLiteRegistration registration;
    bool is_ours;
  } nodes[kHostNodes];
  int32_t node_count;
  TfLiteIntArray *plan;
  int output;  // of the model, a tensor
  TfLiteDelegateParams preview;
} host;

static inline TfLiteIntArray *host_array(int size, const int *data) {
  TfLiteIntArray *array = spk_test_buffer(sizeof(int) * ((size_t)size + 1));
  array->size = size;
  if (size) memcpy(array->data, data, sizeof(int) * (size_t)size);
  return array;
}

// Bytes of a shape, or -1.
static inline int64_t host_bytes(int type, const TfLiteIntArray *dims) {
  int64_t bytes = type == kTfLiteInt8 ? 1 : 4;
  for (int i = 0; i < dims->size; ++i) {
    if (dims->data[i] < 0) return -1;
    bytes *= dims->data[i];
    if (bytes > kHostMostBytes) return -1;
  }
  return bytes;
}

static inline int host_add_tensor(host *h, int type, int rank, const int *dims,
                                  const void *data, size_t bytes) {
  TfLiteTensor *tensor = &h->tensors[h->tensor_count];
  *tensor = (TfLiteTensor){.type = type,
                           .dims = host_array(rank, dims),
                           .allocation_type = data ? kTfLiteMmapRo : kTfLiteArenaRw,
                           .bytes = bytes};
  if (data) {
    tensor->data = spk_test_buffer(bytes);
    memcpy(tensor->data, data, bytes);
  }
  h->context.tensors_size = (size_t)h->tensor_count + 1;
  return h->tensor_count++;
}

// `options` is allocated by malloc(), and owned from now on.
static inline int host_add_node(host *h, int code, int inputs, const int *input, int output,
                                void *options) {
  struct host_node *n = &h->nodes[h->node_count];
  *n = (struct host_node){.node = {.inputs = host_array(inputs, input),
                                   .outputs = host_array(1, &output),
                                   .temporaries = host_array(0, NULL),
                                   .builtin_data = options},
                          .registration = {.builtin_code = code}};
  h->plan = realloc(h->plan, sizeof(int) * ((size_t)h->plan->size + 2));
  if (!h->plan) abort();
  h->plan->data[h->plan->size++] = h->node_count;
  return h->node_count++;
}

static inline TfLiteStatus host_plan(TfLiteContext *context, TfLiteIntArray **plan) {
  *plan = ((host *)context)->plan;
  return kTfLiteOk;
}

static inline TfLiteStatus host_node_at(TfLiteContext *context, int index, TfLiteNode **node,
                                        TfLiteRegistration **registration) {
  host *h = (host *)context;
  if (index < 0 || index >= h->node_count) return kTfLiteError;
  *node = &h->nodes[index].node;
  *registration = &h->nodes[index].registration;
  return kTfLiteOk;
}

static inline TfLiteStatus host_resize(TfLiteContext *context, TfLiteTensor *tensor,
                                       TfLiteIntArray *shape) {
  (void)context;
  const int64_t bytes = host_bytes(tensor->type, shape);
  if (bytes < 0 || tensor->allocation_type != kTfLiteArenaRw) {
    free(shape);
    return kTfLiteError;
  }
  free(tensor->dims);
  free(tensor->data);
  tensor->data = NULL;
  tensor->dims = shape;
  tensor->bytes = (size_t)bytes;
  return kTfLiteOk;
}

static inline void host_silent(TfLiteContext *context, const char *format, ...) {
  (void)context;
  (void)format;
}

static inline TfLiteStatus host_more_tensors(TfLiteContext *context, int count, int *first) {
  host *h = (host *)context;
  const int none = 0;
  if (h->tensor_count + count > kHostTensors) return kTfLiteError;
  *first = h->tensor_count;
  for (int i = 0; i < count; ++i) host_add_tensor(h, kTfLiteNoType, 1, &none, NULL, 0);
  return kTfLiteOk;
}

static inline bool host_has(const TfLiteIntArray *array, int value) {
  for (int i = 0; i < array->size; ++i)
    if (array->data[i] == value) return true;
  return false;
}

// What nodes of the set make and others, or the model's user, read.
static inline TfLiteIntArray *host_outputs(const host *h, const TfLiteIntArray *nodes) {
  int found[kHostNodes], count = 0;
  for (int i = 0; i < nodes->size; ++i) {
    const int tensor = h->nodes[nodes->data[i]].node.outputs->data[0];
    bool leaves = tensor == h->output;
    for (int j = 0; j < h->plan->size; ++j)
      leaves |= !host_has(nodes, h->plan->data[j]) &&
                host_has(h->nodes[h->plan->data[j]].node.inputs, tensor);
    if (leaves) found[count++] = tensor;
  }
  return host_array(count, found);
}

static inline void host_forget_preview(host *h) {
  free(h->preview.nodes_to_replace);
  free(h->preview.input_tensors);
  free(h->preview.output_tensors);
  h->preview = (TfLiteDelegateParams){NULL, NULL, NULL, NULL};
}

static inline TfLiteStatus host_preview(TfLiteContext *context, const TfLiteIntArray *nodes,
                                        TfLiteDelegateParams **partitions, int *count) {
  host *h = (host *)context;
  host_forget_preview(h);
  h->preview.nodes_to_replace = host_array(nodes->size, nodes->data);
  h->preview.input_tensors = host_array(0, NULL);
  h->preview.output_tensors = host_outputs(h, nodes);
  *partitions = &h->preview;
  *count = 1;
  return kTfLiteOk;
}

static inline TfLiteStatus host_replace(TfLiteContext *context, TfLiteRegistration registration,
                                        const TfLiteIntArray *nodes, TfLiteDelegate *delegate) {
  host *h = (host *)context;
  TfLiteDelegateParams *unused;
  int count;
  host_preview(context, nodes, &unused, &count);
  h->preview.delegate = delegate;
  struct host_node *n = &h->nodes[h->node_count];
  *n = (struct host_node){.node = {.inputs = host_array(0, NULL),
                                   .outputs = host_array(0, NULL),
                                   .temporaries = host_array(0, NULL),
                                   .delegate = delegate},
                          .registration = registration,
                          .is_ours = true};
  n->registration.builtin_code = 51;
  TfLiteIntArray *plan = spk_test_buffer(sizeof(int) * ((size_t)h->plan->size + 2));
  plan->size = 0;
  for (int i = 0; i < h->plan->size; ++i)
    if (!host_has(nodes, h->plan->data[i])) plan->data[plan->size++] = h->plan->data[i];
  plan->data[plan->size++] = h->node_count++;
  free(h->plan);
  h->plan = plan;
  n->node.user_data = registration.init(context, (const char *)&h->preview, sizeof(h->preview));
  return kTfLiteOk;
}

static inline host *host_create(void) {
  host *h = calloc(1, sizeof(*h));
  if (!h) abort();
  h->plan = host_array(0, NULL);
  h->context.tensors = h->tensors;
  h->context.GetExecutionPlan = host_plan;
  h->context.ResizeTensor = host_resize;
  h->context.ReportError = host_silent;
  h->context.AddTensors = host_more_tensors;
  h->context.GetNodeAndRegistration = host_node_at;
  h->context.ReplaceNodeSubsetsWithDelegateKernels = host_replace;
  h->context.PreviewDelegatePartitioning = host_preview;
  h->context.recommended_num_threads = 1;
  return h;
}

static inline void host_free_quantization(TfLiteTensor *tensor) {
  TfLiteAffineQuantization *q = tensor->quantization.params;
  if (!q) return;
  free(q->scale);
  free(q->zero_point);
  free(q);
}

static inline void host_free_sparsity(TfLiteTensor *tensor) {
  TfLiteSparsity *s = tensor->sparsity;
  if (!s) return;
  for (int i = 0; i < s->dim_metadata_size && s->dim_metadata; ++i) {
    free(s->dim_metadata[i].array_segments);
    free(s->dim_metadata[i].array_indices);
  }
  free(s->traversal_order);
  free(s->block_map);
  free(s->dim_metadata);
  free(s);
}

static inline void host_destroy(host *h) {
  for (int32_t i = 0; i < h->node_count; ++i) {
    struct host_node *n = &h->nodes[i];
    if (n->is_ours) n->registration.free(&h->context, n->node.user_data);
    free(n->node.inputs);
    free(n->node.outputs);
    free(n->node.temporaries);
    free(n->node.builtin_data);
  }
  for (int32_t i = 0; i < h->tensor_count; ++i) {
    free(h->tensors[i].dims);
    free(h->tensors[i].data);
    host_free_quantization(&h->tensors[i]);
    host_free_sparsity(&h->tensors[i]);
  }
  host_forget_preview(h);
  free(h->plan);
  free(h);
}

// Prepares the nodes that a delegate has taken, gives every tensor its memory, and runs them.
// Returns how many ran; all, or none when one refused.
static inline int host_run(host *h) {
  for (int i = 0; i < h->plan->size; ++i) {
    struct host_node *n = &h->nodes[h->plan->data[i]];
    if (n->is_ours && n->registration.prepare(&h->context, &n->node) != kTfLiteOk) return 0;
  }
  for (int32_t i = 0; i < h->tensor_count; ++i) {
    TfLiteTensor *tensor = &h->tensors[i];
    if (tensor->allocation_type != kTfLiteArenaRw) continue;
    const int64_t bytes = host_bytes(tensor->type, tensor->dims);
    free(tensor->data);
    tensor->bytes = bytes < 0 ? 0 : (size_t)bytes;
    tensor->data = spk_test_buffer(tensor->bytes);
    memset(tensor->data, 1, tensor->bytes);
  }
  int count = 0;
  for (int i = 0; i < h->plan->size; ++i) {
    struct host_node *n = &h->nodes[h->plan->data[i]];
    if (n->is_ours) count += n->registration.invoke(&h->context, &n->node) == kTfLiteOk;
  }
  return count;
}

#endif  // SPK_TESTS_MOCK_HOST_H_
