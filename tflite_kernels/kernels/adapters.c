#include "kernels/adapters.h"

#include <string.h>

#include "spk/formats.h"
#include "spk/kernels_s8.h"

int spk_always_available(void) { return 1; }

size_t spk_no_scratch(const spk_layer *layer) {
  (void)layer;
  return 0;
}

int32_t spk_batch_units(const spk_layer *layer) { return layer->window.batch; }

size_t spk_dense_pack_size(const spk_layer *layer, const void *weights) {
  (void)weights;
  const size_t size = (size_t)layer->window.out_c * spk_layer_cols(layer);
  return size * (layer->dtype == SPK_F32 ? sizeof(float) : 1);
}

spk_status spk_dense_pack(const spk_layer *layer, const void *weights, void *packed,
                          size_t bytes) {
  const size_t needed = spk_dense_pack_size(layer, weights);
  if (bytes < needed) return SPK_ERR_SPACE;
  memcpy(packed, weights, needed);
  return SPK_OK;
}

size_t spk_csr_pack_size(const spk_layer *layer, const void *weights) {
  return spk_csr_f32_pack_size(weights, layer->window.out_c, spk_layer_cols(layer));
}

spk_status spk_csr_pack(const spk_layer *layer, const void *weights, void *packed,
                        size_t bytes) {
  return spk_csr_f32_pack(weights, layer->window.out_c, spk_layer_cols(layer), packed, bytes);
}

size_t spk_stream_pack_size(const spk_layer *layer, const void *weights) {
  return spk_stream_s8_pack_size(weights, layer->window.out_c, spk_layer_cols(layer));
}

spk_status spk_stream_pack(const spk_layer *layer, const void *weights, void *packed,
                           size_t bytes) {
  return spk_stream_s8_pack(weights, layer->window.out_c, spk_layer_cols(layer), packed, bytes);
}

// The part of the batch that a call computes, as a layer of its own.
typedef struct batch_part {
  spk_window2d window;
  const int8_t *input;
  int8_t *output;
} batch_part;

static batch_part part_of(const spk_args *args) {
  const spk_window2d *w = &args->layer->window;
  const size_t in_size = (size_t)w->in_h * w->in_w * w->in_c;
  const size_t out_size = (size_t)w->out_h * w->out_w * w->out_c;
  batch_part part = {.window = *w,
                     .input = (const int8_t *)args->input + args->begin * in_size,
                     .output = (int8_t *)args->output + args->begin * out_size};
  part.window.batch = args->end - args->begin;
  return part;
}

void spk_run_fully_connected_s8_dense__ref(const spk_args *args) {
  const batch_part part = part_of(args);
  spk_fully_connected_s8_dense__ref(part.window.batch, part.window.out_c, part.window.in_c,
                                    &args->layer->requant, part.input, args->packed,
                                    args->layer->bias, part.output);
}

void spk_run_conv2d_s8_dense__ref(const spk_args *args) {
  const batch_part part = part_of(args);
  spk_conv2d_s8_dense__ref(&part.window, &args->layer->requant, part.input, args->packed,
                           args->layer->bias, part.output);
}

void spk_run_depthwise_conv2d_s8_dense__ref(const spk_args *args) {
  const batch_part part = part_of(args);
  spk_depthwise_conv2d_s8_dense__ref(&part.window, &args->layer->requant, part.input,
                                     args->packed, args->layer->bias, part.output);
}

void spk_run_fully_connected_s8_stream__c(const spk_args *args) {
  const batch_part part = part_of(args);
  spk_fully_connected_s8_stream__c(part.window.batch, part.window.out_c, part.window.in_c,
                                   &args->layer->requant, part.input, args->packed,
                                   args->layer->bias, part.output, args->scratch);
}

size_t spk_fully_connected_s8_stream_scratch(const spk_layer *layer) {
  const spk_window2d *w = &layer->window;
  return spk_fully_connected_s8_stream__c_scratch(w->batch, w->out_c, w->in_c);
}

void spk_run_conv2d_s8_stream__c(const spk_args *args) {
  const batch_part part = part_of(args);
  spk_conv2d_s8_stream__c(&part.window, &args->layer->requant, part.input, args->packed,
                          args->layer->bias, part.output, args->scratch);
}

size_t spk_conv2d_s8_stream_scratch(const spk_layer *layer) {
  return spk_conv2d_s8_stream__c_scratch(&layer->window);
}
