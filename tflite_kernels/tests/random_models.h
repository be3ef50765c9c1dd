// Random small models for a mock host: layers as they come in files, sparse and dense.
#ifndef SPK_TESTS_RANDOM_MODELS_H_
#define SPK_TESTS_RANDOM_MODELS_H_

#include "tests/mock_host.h"

static inline void model_quantize(TfLiteTensor *tensor, int channels, float scale) {
  TfLiteAffineQuantization *q = spk_test_buffer(sizeof(*q));
  const size_t bytes = sizeof(float) * ((size_t)channels + 1);
  *q = (TfLiteAffineQuantization){.scale = spk_test_buffer(bytes)};
  int zero[64] = {0};
  q->zero_point = host_array(channels, zero);
  q->scale->size = channels;
  for (int i = 0; i < channels; ++i) q->scale->data[i] = scale;
  if (tensor->dims->data[0] != channels) q->quantized_dimension = tensor->dims->size - 1;
  tensor->quantization = (TfLiteQuantization){kTfLiteAffineQuantization, q};
  if (channels == 1) tensor->params = (TfLiteQuantizationParams){scale, 0};
}

static inline int model_image(host *h, int type, int rank, const int *dims) {
  const int tensor = host_add_tensor(h, type, rank, dims, NULL, 0);
  if (type == kTfLiteInt8) model_quantize(&h->tensors[tensor], 1, 0.1f);
  return tensor;
}

// Dense levels and one of compressed rows at the end, as most files have them. Moves the
// values together, and returns the bytes that they take.
static inline size_t model_sparsify(TfLiteTensor *tensor, uint8_t *values, size_t element) {
  const int rank = tensor->dims->size, cols = tensor->dims->data[rank - 1];
  TfLiteSparsity *s = spk_test_buffer(sizeof(*s));
  int order[8], rows = 1, count = 0;
  *s = (TfLiteSparsity){.dim_metadata_size = rank};
  s->dim_metadata = calloc((size_t)rank, sizeof(*s->dim_metadata));
  for (int i = 0; i < rank; ++i) {
    order[i] = i;
    if (i + 1 < rank) rows *= tensor->dims->data[i];
    s->dim_metadata[i] = (TfLiteDimensionMetadata){.dense_size = tensor->dims->data[i]};
  }
  s->traversal_order = host_array(rank, order);
  int *segments = spk_test_buffer(sizeof(int) * ((size_t)rows + 1));
  int *indices = spk_test_buffer(sizeof(int) * (size_t)(rows * cols));
  segments[0] = 0;
  for (int r = 0; r < rows; ++r) {
    for (int c = 0; c < cols; ++c) {
      if (spk_random_int(0, 3)) continue;
      indices[count] = c;
      memmove(values + (size_t)count++ * element, values + (size_t)(r * cols + c) * element,
              element);
    }
    segments[r + 1] = count;
  }
  TfLiteDimensionMetadata *last = &s->dim_metadata[rank - 1];
  *last = (TfLiteDimensionMetadata){.format = kTfLiteDimSparseCSR,
                                    .array_segments = host_array(rows + 1, segments),
                                    .array_indices = host_array(count, indices)};
  free(segments);
  free(indices);
  tensor->sparsity = s;
  return (size_t)count * element;
}

// A constant of random values, three in four of them zero; `form` 1 is sparse in place, 2
// behind DENSIFY.
static inline int model_weights(host *h, int type, int rank, const int *dims, int channels,
                                int form) {
  const size_t element = type == kTfLiteInt8 ? 1 : 4;
  int count = 1;
  for (int i = 0; i < rank; ++i) count *= dims[i];
  uint8_t *values = calloc((size_t)count, element);
  for (int i = 0; i < count; ++i) {
    const float value = spk_random_float();
    if (form == 0 && spk_random_int(0, 3)) continue;
    if (type == kTfLiteInt8)
      ((int8_t *)values)[i] = (int8_t)spk_random_int(-127, 127);
    else
      memcpy(values + (size_t)i * element, &value, element);
  }
  const int tensor = host_add_tensor(h, type, rank, dims, values, (size_t)count * element);
  if (type == kTfLiteInt8) model_quantize(&h->tensors[tensor], channels, 0.02f);
  if (form) {
    TfLiteTensor *sparse = &h->tensors[tensor];
    sparse->bytes = model_sparsify(sparse, values, element);
    free(sparse->data);
    sparse->data = spk_test_buffer(sparse->bytes);
    memcpy(sparse->data, values, sparse->bytes);
  }
  free(values);
  if (form < 2) return tensor;
  const int dense = host_add_tensor(h, type, rank, dims, NULL, 0);
  if (type == kTfLiteInt8) model_quantize(&h->tensors[dense], channels, 0.02f);
  host_add_node(h, kTfLiteBuiltinDensify, 1, &tensor, dense, NULL);
  return dense;
}

static inline int model_bias(host *h, int type, int channels) {
  float values[64] = {0};
  const int of = type == kTfLiteInt8 ? kTfLiteInt32 : kTfLiteFloat32;
  return host_add_tensor(h, of, 1, &channels, values, (size_t)channels * 4);
}

static inline int model_grouped(host *h, int type, int x, int channels, int kernel, int form,
                                int groups) {
  const int *in = h->tensors[x].dims->data;
  const int out[4] = {in[0], in[1], in[2], channels};
  const int filter[4] = {channels, kernel, kernel, in[3] / groups};
  const int inputs[3] = {x, model_weights(h, type, 4, filter, channels, form),
                         model_bias(h, type, channels)};
  const int y = model_image(h, type, 4, out);
  TfLiteConvParams *p = spk_test_buffer(sizeof(*p));
  *p = (TfLiteConvParams){kTfLitePaddingSame, 1, 1, spk_random_int(0, 3), 1, 1};
  host_add_node(h, kTfLiteBuiltinConv2d, 3, inputs, y, p);
  return y;
}

static inline int model_conv2d(host *h, int type, int x, int channels, int kernel, int form) {
  return model_grouped(h, type, x, channels, kernel, form, 1);
}

// Up to as many groups as there may be.
static inline int model_groups(int inputs, int outputs) {
  int groups = spk_random_int(1, 6);
  while (inputs % groups || outputs % groups) --groups;
  return groups;
}

static inline int model_depthwise(host *h, int type, int x) {
  const int *in = h->tensors[x].dims->data;
  const int filter[4] = {1, 3, 3, in[3]};
  const int inputs[3] = {x, model_weights(h, type, 4, filter, in[3], 0),
                         model_bias(h, type, in[3])};
  const int y = model_image(h, type, 4, in);
  TfLiteDepthwiseConvParams *p = spk_test_buffer(sizeof(*p));
  *p = (TfLiteDepthwiseConvParams){kTfLitePaddingSame, 1, 1, 1, spk_random_int(0, 3), 1, 1};
  host_add_node(h, kTfLiteBuiltinDepthwiseConv2d, 3, inputs, y, p);
  return y;
}

static inline int model_fully_connected(host *h, int type, int x, int channels, int form) {
  const TfLiteIntArray *in = h->tensors[x].dims;
  int size = 1;
  for (int i = 1; i < in->size; ++i) size *= in->data[i];
  const int filter[2] = {channels, size}, out[2] = {in->data[0], channels};
  const int inputs[3] = {x, model_weights(h, type, 2, filter, channels, form),
                         model_bias(h, type, channels)};
  const int y = model_image(h, type, 2, out);
  TfLiteFullyConnectedParams *p = spk_test_buffer(sizeof(*p));
  *p = (TfLiteFullyConnectedParams){.activation = spk_random_int(0, 3)};
  host_add_node(h, kTfLiteBuiltinFullyConnected, 3, inputs, y, p);
  return y;
}

static inline int model_add(host *h, int type, int a, int b) {
  const int inputs[2] = {a, b};
  const int y = model_image(h, type, 4, h->tensors[a].dims->data);
  if (type == kTfLiteInt8) h->tensors[y].params.scale = 0.13f;  // no ties
  int *activation = spk_test_buffer(2 * sizeof(int));
  activation[0] = activation[1] = 0;
  host_add_node(h, kTfLiteBuiltinAdd, 2, inputs, y, activation);
  return y;
}

// int8 chains take multiples of four only.
static inline int model_channels(void) {
  const int channels = spk_random_int(1, 12);
  return spk_random_int(0, 1) ? (channels + 3) / 4 * 4 : channels;
}

// A few layers on a small image; the input is tensor 0.
static inline host *model_random(void) {
  host *h = host_create();
  const int type = spk_random_int(0, 2) ? kTfLiteFloat32 : kTfLiteInt8;
  const int dims[4] = {1, spk_random_int(1, 9), spk_random_int(1, 9), model_channels()};
  int x = model_image(h, type, 4, dims), before = -1;
  const int layers = spk_random_int(1, 5);
  for (int i = 0; i < layers; ++i) {
    const int kind = spk_random_int(0, 5), form = spk_random_int(0, 2);
    const int same = before >= 0 && !memcmp(h->tensors[x].dims->data,
                                            h->tensors[before].dims->data, 4 * sizeof(int));
    const int last = x, channels = model_channels();
    if (kind == 0)
      x = model_depthwise(h, type, x);
    else if (kind == 1 && same)
      x = model_add(h, type, x, before);
    else
      x = model_grouped(h, type, x, channels, kind % 2 ? 1 : 3, form,
                        model_groups(h->tensors[x].dims->data[3], channels));
    before = last;
  }
  if (spk_random_int(0, 1))
    x = model_fully_connected(h, type, x, spk_random_int(1, 20), spk_random_int(0, 2));
  h->output = x;
  return h;
}

#endif  // SPK_TESTS_RANDOM_MODELS_H_
