#include "delegate/link.h"

#include "delegate/chain_unroll.h"
#include "delegate/quantization.h"
#include "delegate/sparse_weights.h"

static const TfLiteTensor *tensor_at(TfLiteContext *context, int index) {
  if (index < 0 || (size_t)index >= context->tensors_size) return NULL;
  return &context->tensors[index];
}

static bool is_constant(const TfLiteTensor *tensor) {
  return tensor->allocation_type == kTfLiteMmapRo && tensor->data;
}

static bool is_image(const TfLiteTensor *tensor, spk_dtype dtype) {
  return tensor && tensor->type == (dtype == SPK_S8 ? kTfLiteInt8 : kTfLiteFloat32) &&
         tensor->dims && tensor->dims->size == 4 && tensor->allocation_type == kTfLiteArenaRw &&
         !tensor->is_variable;
}

static bool same_shape(const TfLiteTensor *a, const TfLiteTensor *b) {
  for (int i = 0; i < 4; ++i)
    if (a->dims->data[i] != b->dims->data[i]) return false;
  return true;
}

static const char *read_depthwise(TfLiteContext *context, const TfLiteNode *node,
                                  spk_link *link) {
  const TfLiteDepthwiseConvParams *params = node->builtin_data;
  if (!params || node->inputs->size < 2 || node->inputs->size > 3)
    return "its number of inputs or outputs is unusual";
  spk_claim *claim = &link->claim;
  *claim = (spk_claim){
      .node = claim->node,
      .densify = -1,
      .input = node->inputs->data[0],
      .filter = node->inputs->data[1],
      .bias = node->inputs->size == 3 ? node->inputs->data[2] : kTfLiteOptionalTensor,
      .output = node->outputs->data[0],
      .weights = node->inputs->data[1],
      .activation = params->activation,
      .padding = params->padding,
      .stride_h = params->stride_height,
      .stride_w = params->stride_width,
      .dilation_h = params->dilation_height_factor,
      .dilation_w = params->dilation_width_factor,
  };
  const TfLiteTensor *filter = tensor_at(context, claim->filter);
  const TfLiteTensor *bias = tensor_at(context, claim->bias);
  if (!filter || !is_constant(filter) || filter->sparsity || filter->type != kTfLiteFloat32 ||
      !filter->dims || filter->dims->size != 4 || filter->dims->data[0] != 1 ||
      spk_dense_bytes(filter) == 0 || spk_dense_bytes(filter) != filter->bytes)
    return "its weights are not dense and constant";
  if (claim->bias != kTfLiteOptionalTensor &&
      (!bias || !is_constant(bias) || bias->sparsity || bias->type != kTfLiteFloat32 ||
       bias->bytes != (size_t)filter->dims->data[3] * sizeof(float)))
    return "its bias is not constant";
  if (claim->padding != kTfLitePaddingSame && claim->padding != kTfLitePaddingValid)
    return "its padding is unknown";
  link->kind = SPK_LINK_DEPTHWISE;
  return NULL;
}

static const char *read_pointwise(TfLiteContext *context, const TfLiteNode *node, int code,
                                  spk_link *link) {
  const int *activation = node->builtin_data;  // the first field of ADD's and MUL's options
  link->kind = SPK_LINK_POINTWISE;
  link->claim.activation = kTfLiteActNone;
  link->input_count = 1;
  switch (code) {
    case kTfLiteBuiltinAdd:
    case kTfLiteBuiltinMul:
      if (!activation) return "it has no options";
      link->claim.activation = *activation;
      link->function = code == kTfLiteBuiltinAdd ? SPK_PLANES_ADD : SPK_PLANES_MUL;
      link->input_count = 2;
      break;
    case kTfLiteBuiltinHardSwish:
      link->function = SPK_PLANES_HARD_SWISH;
      break;
    default:
      link->function = SPK_PLANES_CLAMP;
      link->claim.activation = code == kTfLiteBuiltinRelu        ? kTfLiteActRelu
                               : code == kTfLiteBuiltinReluN1To1 ? kTfLiteActReluN1To1
                                                                 : kTfLiteActRelu6;
  }
  if (node->inputs->size != link->input_count)
    return "its number of inputs or outputs is unusual";
  const TfLiteTensor *output = tensor_at(context, node->outputs->data[0]), *inputs[2];
  for (int i = 0; i < link->input_count; ++i) {
    link->inputs[i] = node->inputs->data[i];
    inputs[i] = tensor_at(context, link->inputs[i]);
    if (!is_image(inputs[i], link->dtype) || !is_image(output, link->dtype))
      return "it is not about images of one type";
    if (!same_shape(inputs[i], output)) return "its inputs have different shapes";
  }
  if (link->dtype == SPK_F32) return NULL;
  if (code != kTfLiteBuiltinAdd) return "there is no kernel of its type";
  spk_add add;
  const char *reason = spk_fill_add(inputs[0], inputs[1], output, link->claim.activation, &add);
  if (reason) return reason;
  return spk_planes_add_s8_fit(&add, &link->add_s8) ? NULL : "its sums have ties";
}

static bool is_pointwise(int code) {
  return code == kTfLiteBuiltinAdd || code == kTfLiteBuiltinMul || code == kTfLiteBuiltinRelu ||
         code == kTfLiteBuiltinReluN1To1 || code == kTfLiteBuiltinRelu6 ||
         code == kTfLiteBuiltinHardSwish;
}

const char *spk_read_link(TfLiteContext *context, const TfLiteIntArray *plan, int index,
                          spk_link *link) {
  TfLiteNode *node;
  TfLiteRegistration *registration;
  if (context->GetNodeAndRegistration(context, index, &node, &registration) != kTfLiteOk ||
      !node || !registration || registration->custom_name || node->delegate || !node->inputs ||
      !node->outputs || node->outputs->size != 1)
    return "";
  const int code = registration->builtin_code;
  const char *reason = "";
  *link = (spk_link){.dtype = SPK_F32, .claim = {.node = index, .densify = -1}};
  link->output = node->outputs->data[0];
  const TfLiteTensor *output = tensor_at(context, link->output);
  if (output && output->type == kTfLiteInt8) link->dtype = SPK_S8;
  const bool is_depthwise = code == kTfLiteBuiltinDepthwiseConv2d;
  if (is_pointwise(code)) {
    reason = read_pointwise(context, node, code, link);
  } else if (is_depthwise && link->dtype == SPK_F32) {
    reason = read_depthwise(context, node, link);
  } else if (is_depthwise || code == kTfLiteBuiltinConv2d) {
    link->kind = is_depthwise ? SPK_LINK_DEPTHWISE : SPK_LINK_CONV_2D;
    reason = spk_claim_node(context, plan, index, &link->claim);
  }
  if (reason) return reason;
  if (link->kind != SPK_LINK_POINTWISE) {
    link->input_count = 1;
    link->inputs[0] = link->claim.input;
    if (!is_image(tensor_at(context, link->inputs[0]), link->dtype) ||
        !is_image(output, link->dtype))
      return "it is not about images of one type";
  }
  if (!spk_float_range(link->claim.activation, &link->act_min, &link->act_max))
    return "its fused activation is not supported";
  spk_layer unused;
  return spk_link_layer(context, link, &unused);
}

// One pixel for one pixel, all channels kept.
static spk_window2d window_of(const int *dims) {
  return (spk_window2d){.batch = dims[0],
                        .in_h = dims[1],
                        .in_w = dims[2],
                        .in_c = dims[3],
                        .out_h = dims[1],
                        .out_w = dims[2],
                        .out_c = dims[3],
                        .kernel_h = 1,
                        .kernel_w = 1,
                        .stride_h = 1,
                        .stride_w = 1,
                        .dilation_h = 1,
                        .dilation_w = 1};
}

static const char *depthwise_window(TfLiteContext *context, const spk_claim *claim,
                                    spk_window2d *w) {
  const int *filter = context->tensors[claim->filter].dims->data;
  *w = window_of(context->tensors[claim->input].dims->data);
  if (filter[3] != w->in_c) return "its channel multiplier is not 1";
  if (filter[1] > 1024 || filter[2] > 1024 || claim->dilation_h < 1 || claim->dilation_w < 1 ||
      claim->dilation_h > 1024 || claim->dilation_w > 1024 || w->in_h < 1 || w->in_w < 1)
    return "its window is not supported";
  w->kernel_h = filter[1];
  w->kernel_w = filter[2];
  w->stride_h = claim->stride_h;
  w->stride_w = claim->stride_w;
  w->dilation_h = claim->dilation_h;
  w->dilation_w = claim->dilation_w;
  if (w->stride_h != 1 || w->stride_w != 1) return "its stride is not 1";
  spk_place_window(claim, w->in_h, w->kernel_h, 1, w->dilation_h, &w->out_h, &w->pad_top);
  spk_place_window(claim, w->in_w, w->kernel_w, 1, w->dilation_w, &w->out_w, &w->pad_left);
  return NULL;
}

// Of int8: what the kernels of planes_s8.h do.
static const char *check_s8(const spk_link *link, const spk_window2d *w, spk_op op) {
  if (w->out_c % 4 != 0) return "its channels are no multiple of four";
  if (op == SPK_CONV_2D)
    return spk_unrolls(link, w) && !spk_can_unroll(w) ? "its window is too large" : NULL;
  if (op == SPK_DEPTHWISE_CONV_2D &&
      (w->kernel_h != 3 || w->kernel_w != 3 || w->dilation_h != 1 || w->dilation_w != 1 ||
       w->in_c != w->out_c))
    return "its window is not 3x3";
  return NULL;
}

const char *spk_link_layer(TfLiteContext *context, const spk_link *link, spk_layer *layer) {
  *layer = (spk_layer){.op = SPK_CONV_2D, .dtype = link->dtype};
  const char *reason = NULL;
  for (int i = 0; i < link->input_count; ++i)
    if (context->tensors[link->inputs[i]].dims->size != 4)
      return "its input does not have four dimensions";
  if (link->kind == SPK_LINK_POINTWISE) {
    const TfLiteTensor *first = &context->tensors[link->inputs[0]];
    if (!same_shape(first, &context->tensors[link->inputs[link->input_count - 1]]))
      reason = "its inputs have different shapes";
    layer->window = window_of(first->dims->data);
  } else if (link->kind == SPK_LINK_CONV_2D || link->dtype == SPK_S8) {
    reason = spk_claim_layer(context, &link->claim, layer);
  } else {
    reason = depthwise_window(context, &link->claim, &layer->window);
  }
  if (reason) return reason;
  const spk_window2d *w = &layer->window;
  const int32_t most = link->dtype == SPK_S8 && link->kind == SPK_LINK_DEPTHWISE ? 2 : 1;
  if (!spk_unrolls(link, w) && (w->stride_h != w->stride_w || w->stride_w > most))
    return "its stride is too large";
  if (link->dtype == SPK_S8) return check_s8(link, w, layer->op);
  // A depthwise layer has fewer weights than the check allows for.
  spk_layer checked = *layer;
  if (link->kind == SPK_LINK_DEPTHWISE) checked.window.in_c = 1;
  return spk_layer_check(&checked) == SPK_OK ? NULL : "its shape is not supported";
}
