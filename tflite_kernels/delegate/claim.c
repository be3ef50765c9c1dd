#include "delegate/claim.h"

#include "delegate/quantization.h"
#include "delegate/sparse_weights.h"

// Weights of a grouped convolution with the zeros between its groups.
static const double kMostSpread = 1 << 26;

static const TfLiteTensor *tensor_at(TfLiteContext *context, int index) {
  if (index < 0 || (size_t)index >= context->tensors_size) return NULL;
  return &context->tensors[index];
}

static bool is_constant(const TfLiteTensor *tensor) {
  return tensor->allocation_type == kTfLiteMmapRo && tensor->data;
}

static bool get_node(TfLiteContext *context, int index, TfLiteNode **node,
                     TfLiteRegistration **registration) {
  return context->GetNodeAndRegistration(context, index, node, registration) == kTfLiteOk &&
         *node && *registration;
}

// The DENSIFY node that writes `tensor`, or -1.
static int find_densify(TfLiteContext *context, const TfLiteIntArray *plan, int tensor) {
  for (int i = 0; i < plan->size; ++i) {
    TfLiteNode *node;
    TfLiteRegistration *registration;
    if (!get_node(context, plan->data[i], &node, &registration)) continue;
    if (registration->builtin_code == kTfLiteBuiltinDensify && node->inputs->size == 1 &&
        node->outputs->size == 1 && node->outputs->data[0] == tensor)
      return plan->data[i];
  }
  return -1;
}

// How many node inputs read `tensor`.
static int count_readers(TfLiteContext *context, const TfLiteIntArray *plan, int tensor) {
  int readers = 0;
  for (int i = 0; i < plan->size; ++i) {
    TfLiteNode *node;
    TfLiteRegistration *registration;
    if (!get_node(context, plan->data[i], &node, &registration)) continue;
    for (int j = 0; j < node->inputs->size; ++j) readers += node->inputs->data[j] == tensor;
  }
  return readers;
}

// Is `tensor` an output of the model? The interpreter tells through the partition that it would
// make of its producer and its only reader.
static bool leaves_partition(TfLiteContext *context, int densify, int reader, int tensor) {
  struct {
    int size, data[2];
  } nodes = {2, {densify, reader}};
  TfLiteDelegateParams *partitions = NULL;
  int count = 0;
  if (!context->PreviewDelegatePartitioning ||
      context->PreviewDelegatePartitioning(context,
                                           (const TfLiteIntArray *)(const void *)&nodes,
                                           &partitions, &count) != kTfLiteOk ||
      count != 1 || !partitions)
    return true;
  for (int i = 0; i < partitions[0].output_tensors->size; ++i)
    if (partitions[0].output_tensors->data[i] == tensor) return true;
  return false;
}

// Finds the constant behind the filter; a DENSIFY that somebody else reads too stays where it
// is.
static const char *find_weights(TfLiteContext *context, const TfLiteIntArray *plan,
                                spk_claim *claim) {
  const TfLiteTensor *filter = tensor_at(context, claim->filter);
  claim->densify = -1;
  claim->weights = claim->filter;
  if (is_constant(filter)) return NULL;
  const int densify = find_densify(context, plan, claim->filter);
  TfLiteNode *node;
  TfLiteRegistration *registration;
  if (densify < 0 || !get_node(context, densify, &node, &registration))
    return "its weights are not constant";
  claim->weights = node->inputs->data[0];
  const TfLiteTensor *weights = tensor_at(context, claim->weights);
  if (!weights || !is_constant(weights)) return "its weights are not constant";
  if (weights->type != filter->type) return "DENSIFY changes the type of its weights";
  if (spk_dense_bytes(weights) == 0 || spk_dense_bytes(weights) != spk_dense_bytes(filter))
    return "DENSIFY changes the shape of its weights";
  if (count_readers(context, plan, claim->filter) == 1 &&
      !leaves_partition(context, densify, claim->node, claim->filter))
    claim->densify = densify;
  return NULL;
}

static const char *check_bias(TfLiteContext *context, const spk_claim *claim,
                              int32_t channels) {
  if (claim->bias == kTfLiteOptionalTensor) return NULL;
  const TfLiteTensor *bias = tensor_at(context, claim->bias);
  const int expected = claim->dtype == SPK_F32 ? kTfLiteFloat32 : kTfLiteInt32;
  if (!bias || !is_constant(bias) || bias->sparsity) return "its bias is not constant";
  if (bias->type != expected) return "its bias has another type";
  if (bias->bytes != (size_t)channels * 4) return "its bias has another size";
  return NULL;
}

static const char *check_types(TfLiteContext *context, spk_claim *claim) {
  const TfLiteTensor *input = tensor_at(context, claim->input);
  const TfLiteTensor *filter = tensor_at(context, claim->filter);
  const TfLiteTensor *output = tensor_at(context, claim->output);
  if (!input || !filter || !output || !input->dims || !filter->dims || !output->dims)
    return "it lacks a tensor";
  if (is_constant(input)) return "its input is constant";
  if (input->type != output->type) return "its output has another type than its input";
  if (input->type != filter->type)
    return input->type == kTfLiteFloat32 ? "it is hybrid: int8 weights for a float32 input"
                                         : "its weights have another type than its input";
  if (input->type != kTfLiteFloat32 && input->type != kTfLiteInt8)
    return "only float32 and int8 are supported";
  claim->dtype = input->type == kTfLiteFloat32 ? SPK_F32 : SPK_S8;
  if (claim->op == SPK_DEPTHWISE_CONV_2D && claim->dtype == SPK_F32)
    return "only int8 depthwise convolutions are supported";
  if (filter->dims->size != (claim->op == SPK_FULLY_CONNECTED ? 2 : 4) ||
      spk_dense_bytes(filter) == 0)
    return "the shape of its weights is not supported";
  const int dimension = spk_channel_dimension(claim->op);
  const char *reason = check_bias(context, claim, filter->dims->data[dimension]);
  if (reason || claim->dtype == SPK_F32) return reason;
  return spk_check_quantization(input, filter, output, dimension);
}

// The two convolutions have the same options in another order.
static TfLiteConvParams conv_options(const TfLiteNode *node, spk_op op) {
  if (op == SPK_CONV_2D) return *(const TfLiteConvParams *)node->builtin_data;
  const TfLiteDepthwiseConvParams *params = node->builtin_data;
  return (TfLiteConvParams){.padding = params->padding,
                            .stride_width = params->stride_width,
                            .stride_height = params->stride_height,
                            .activation = params->activation,
                            .dilation_width_factor = params->dilation_width_factor,
                            .dilation_height_factor = params->dilation_height_factor};
}

static const char *read_options(const TfLiteNode *node, spk_claim *claim) {
  float unused_min, unused_max;
  if (!node->builtin_data) return "it has no options";
  if (claim->op == SPK_FULLY_CONNECTED) {
    const TfLiteFullyConnectedParams *params = node->builtin_data;
    if (params->weights_format != 0) return "its weights are shuffled";
    claim->activation = params->activation;
    claim->keep_num_dims = params->keep_num_dims;
    claim->padding = kTfLitePaddingValid;
    claim->stride_h = claim->stride_w = claim->dilation_h = claim->dilation_w = 1;
  } else {
    const TfLiteConvParams params = conv_options(node, claim->op);
    claim->activation = params.activation;
    claim->padding = params.padding;
    claim->stride_h = params.stride_height;
    claim->stride_w = params.stride_width;
    claim->dilation_h = params.dilation_height_factor;
    claim->dilation_w = params.dilation_width_factor;
    if (claim->padding != kTfLitePaddingSame && claim->padding != kTfLitePaddingValid)
      return "its padding is unknown";
  }
  if (!spk_float_range(claim->activation, &unused_min, &unused_max))
    return "its fused activation is not supported";
  return NULL;
}

static bool find_op(int builtin_code, spk_op *op) {
  switch (builtin_code) {
    case kTfLiteBuiltinFullyConnected:
      *op = SPK_FULLY_CONNECTED;
      return true;
    case kTfLiteBuiltinConv2d:
      *op = SPK_CONV_2D;
      return true;
    case kTfLiteBuiltinDepthwiseConv2d:
      *op = SPK_DEPTHWISE_CONV_2D;
      return true;
    default:
      return false;
  }
}

const char *spk_claim_node(TfLiteContext *context, const TfLiteIntArray *plan, int index,
                           spk_claim *claim) {
  TfLiteNode *node;
  TfLiteRegistration *registration;
  if (!get_node(context, index, &node, &registration)) return "";
  spk_op op;
  if (!find_op(registration->builtin_code, &op)) return "";
  if (node->delegate) return "another delegate has it";
  if (node->inputs->size < 2 || node->inputs->size > 3 || node->outputs->size != 1)
    return "its number of inputs or outputs is unusual";
  *claim = (spk_claim){
      .node = index,
      .op = op,
      .input = node->inputs->data[0],
      .filter = node->inputs->data[1],
      .bias = node->inputs->size == 3 ? node->inputs->data[2] : kTfLiteOptionalTensor,
      .output = node->outputs->data[0],
  };
  const char *reason = read_options(node, claim);
  if (!reason) reason = check_types(context, claim);
  if (!reason) reason = find_weights(context, plan, claim);
  spk_layer layer;
  return reason ? reason : spk_claim_layer(context, claim, &layer);
}

// TFLite's SAME puts the smaller half of the padding first.
static void place_window(const spk_claim *claim, int in, int kernel, int stride, int dilation,
                         int32_t *out, int32_t *pad) {
  const int64_t reach = (int64_t)(kernel - 1) * dilation + 1;
  const int64_t span = claim->padding == kTfLitePaddingSame ? in : in - reach + 1;
  const int64_t size = span > 0 ? (span + stride - 1) / stride : 0;
  const int64_t missing = (size - 1) * stride + reach - in;
  *out = (int32_t)size;
  *pad = size > 0 && missing > 0 ? (int32_t)(missing / 2) : 0;
}

static const char *conv_window(const spk_claim *claim, const TfLiteIntArray *in,
                               const TfLiteIntArray *filter, spk_window2d *w) {
  if (in->size != 4) return "its input does not have four dimensions";
  const bool is_depthwise = claim->op == SPK_DEPTHWISE_CONV_2D;
  if (is_depthwise) {
    if (in->data[3] < 1 || filter->data[0] != 1 || filter->data[3] % in->data[3] != 0)
      return "its weights do not fit its input";
  } else if (in->data[3] < 1 || filter->data[3] < 1 || in->data[3] % filter->data[3] != 0 ||
             filter->data[0] % (in->data[3] / filter->data[3]) != 0) {
    return "its weights do not fit its input";
  }
  if (claim->stride_h < 1 || claim->stride_w < 1 || claim->dilation_h < 1 ||
      claim->dilation_w < 1 || filter->data[1] > 1024 || filter->data[2] > 1024 ||
      claim->dilation_h > 1024 || claim->dilation_w > 1024)
    return "its window is not supported";
  *w = (spk_window2d){.batch = in->data[0],
                      .in_h = in->data[1],
                      .in_w = in->data[2],
                      .in_c = in->data[3],
                      .out_c = filter->data[spk_channel_dimension(claim->op)],
                      .kernel_h = filter->data[1],
                      .kernel_w = filter->data[2],
                      .stride_h = claim->stride_h,
                      .stride_w = claim->stride_w,
                      .dilation_h = claim->dilation_h,
                      .dilation_w = claim->dilation_w};
  if (w->in_h < 1 || w->in_w < 1) return "the shape of its input is not known";
  place_window(claim, w->in_h, w->kernel_h, w->stride_h, w->dilation_h, &w->out_h, &w->pad_top);
  place_window(claim, w->in_w, w->kernel_w, w->stride_w, w->dilation_w, &w->out_w,
               &w->pad_left);
  return NULL;
}

static const char *fully_connected_window(const spk_claim *claim, const TfLiteIntArray *in,
                                          const TfLiteIntArray *filter, spk_window2d *w) {
  int64_t elements = 1;
  for (int i = 0; i < in->size; ++i) {
    if (in->data[i] < 1) return "the shape of its input is not known";
    elements *= in->data[i];
    if (elements > INT32_MAX / 8) return "its shape is not supported";
  }
  const int cols = filter->data[1];
  if (elements % cols != 0) return "its input does not fit its weights";
  if (claim->keep_num_dims && (in->size < 1 || in->data[in->size - 1] != cols))
    return "its input does not fit its weights";
  *w = (spk_window2d){.batch = (int32_t)(elements / cols),
                      .in_h = 1,
                      .in_w = 1,
                      .in_c = cols,
                      .out_h = 1,
                      .out_w = 1,
                      .out_c = filter->data[0],
                      .kernel_h = 1,
                      .kernel_w = 1,
                      .stride_h = 1,
                      .stride_w = 1,
                      .dilation_h = 1,
                      .dilation_w = 1};
  return NULL;
}

// By the bytes of the constant weights: shapes of other tensors may change in a broken file.
int32_t spk_claim_groups(const TfLiteContext *context, const spk_claim *claim,
                         const spk_window2d *w) {
  if (claim->op != SPK_CONV_2D) return 1;
  const size_t element = claim->dtype == SPK_F32 ? sizeof(float) : 1;
  const size_t whole =
      (size_t)w->out_c * (size_t)w->kernel_h * (size_t)w->kernel_w * (size_t)w->in_c;
  return (int32_t)(whole * element / spk_dense_bytes(&context->tensors[claim->weights]));
}

const char *spk_claim_layer(TfLiteContext *context, const spk_claim *claim, spk_layer *layer) {
  const TfLiteIntArray *in = tensor_at(context, claim->input)->dims;
  const TfLiteIntArray *filter = tensor_at(context, claim->filter)->dims;
  *layer = (spk_layer){.op = claim->op, .dtype = claim->dtype};
  // In a broken file another node may have given the filter, or the input, another shape.
  if (!filter || filter->size != (claim->op == SPK_FULLY_CONNECTED ? 2 : 4) ||
      spk_dense_bytes(tensor_at(context, claim->filter)) !=
          spk_dense_bytes(tensor_at(context, claim->weights)) ||
      check_bias(context, claim, filter->data[spk_channel_dimension(claim->op)]))
    return "the shape of its weights has changed";
  const char *reason = claim->op == SPK_FULLY_CONNECTED
                           ? fully_connected_window(claim, in, filter, &layer->window)
                           : conv_window(claim, in, filter, &layer->window);
  if (reason) return reason;
  if (spk_layer_check(layer) != SPK_OK) return "its shape is not supported";
  layer->groups = spk_claim_groups(context, claim, &layer->window);
  const double weights = (double)layer->window.out_c * spk_layer_cols(layer);
  return layer->groups > 1 && weights > kMostSpread ? "its groups are too many" : NULL;
}

void spk_place_window(const spk_claim *claim, int in, int kernel, int stride, int dilation,
                      int32_t *out, int32_t *pad) {
  place_window(claim, in, kernel, stride, dilation, out, pad);
}
