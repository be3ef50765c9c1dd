// Mutants of small models in a mock interpreter: `spk_delegate_fuzz SEED FIRST COUNT`.
//
// The numbers in tensors, quantization, sparsity and options are changed as a hostile file
// could have them; arrays keep the sizes that they say, as the interpreter makes them so. The
// delegate must take the model or leave it; a sanitizer sees the rest. With COUNT 1 a case can
// be run again.
#if defined(__x86_64__)
#include "kernels/x86/kernels_x86.h"
#endif
#include "tests/random_models.h"

static const int kNumbers[] = {
    0,   1,   -1,    2,     3,  4,       7,       8,         127,       128,          -128,
    255, 256, 32767, 65536, -2, 1 << 20, 1 << 30, INT32_MAX, INT32_MIN, INT32_MAX / 8};

static int any_number(int value) {
  if (spk_random_int(0, 2) == 0)
    return (int)((uint32_t)value + (uint32_t)spk_random_int(-2, 2));
  return kNumbers[spk_random_int(0, sizeof(kNumbers) / sizeof(kNumbers[0]) - 1)];
}

static float any_float(void) {
  static const uint32_t bits[] = {0,          0x80000000, 0x3f800000, 0xbf800000, 0x7f800000,
                                  0x7fc00000, 1,          0x7f7fffff, 0x00800000, 0x2edbe6ff};
  float value;
  memcpy(&value, &bits[spk_random_int(0, sizeof(bits) / sizeof(bits[0]) - 1)], sizeof(value));
  return value;
}

// Changes an element, or makes the array longer or shorter.
static TfLiteIntArray *any_array(TfLiteIntArray *array) {
  const int kind = spk_random_int(0, 5);
  if (!array || kind == 0) {
    free(array);
    return kind % 2 ? NULL : host_array(0, NULL);
  }
  if (kind > 1 && array->size > 0) {
    const int at = spk_random_int(0, array->size - 1);
    array->data[at] = any_number(array->data[at]);
    return array;
  }
  const int size = spk_random_int(0, array->size + 2);
  TfLiteIntArray *other = spk_test_buffer(sizeof(int) * ((size_t)size + 1));
  other->size = size;
  for (int i = 0; i < size; ++i)
    other->data[i] = i < array->size ? array->data[i] : any_number(0);
  free(array);
  return other;
}

static TfLiteIntArray *never_null(TfLiteIntArray *array) {
  return array ? array : host_array(0, NULL);
}

static void mutate_sparsity(TfLiteSparsity *s) {
  TfLiteDimensionMetadata *level = NULL;
  if (s->dim_metadata_size > 0 && s->dim_metadata)
    level = &s->dim_metadata[spk_random_int(0, s->dim_metadata_size - 1)];
  switch (spk_random_int(0, 6)) {
    case 0:
      s->traversal_order = any_array(s->traversal_order);
      break;
    case 1:
      s->block_map = any_array(s->block_map ? s->block_map : host_array(1, (int[]){0}));
      break;
    case 2:  // one level less
      if (s->dim_metadata_size > 0) {
        level = &s->dim_metadata[--s->dim_metadata_size];
        free(level->array_segments);
        free(level->array_indices);
      }
      break;
    case 3:
      if (level) level->format = any_number(level->format);
      break;
    case 4:
      if (level) level->dense_size = any_number(level->dense_size);
      break;
    case 5:
      if (level) level->array_segments = any_array(level->array_segments);
      break;
    default:
      if (level) level->array_indices = any_array(level->array_indices);
  }
}

static void mutate_quantization(TfLiteTensor *tensor) {
  TfLiteAffineQuantization *q = tensor->quantization.params;
  switch (spk_random_int(0, 5)) {
    case 0:
      tensor->params.scale = any_float();
      break;
    case 1:
      tensor->params.zero_point = any_number(tensor->params.zero_point);
      break;
    case 2:
      if (q) q->quantized_dimension = any_number(q->quantized_dimension);
      break;
    case 3:
      if (q) q->zero_point = any_array(q->zero_point);
      break;
    case 4:
      if (q && q->scale && q->scale->size > 0)
        q->scale->data[spk_random_int(0, q->scale->size - 1)] = any_float();
      break;
    default:
      if (q && q->scale && q->scale->size > 1) --q->scale->size;
  }
}

// The buffer of a constant has as many bytes as the tensor says, and any content.
static void mutate_data(TfLiteTensor *tensor) {
  if (!tensor->data) return;
  const int kind = spk_random_int(0, 3);
  if (kind == 0) {
    const size_t bytes = (size_t)spk_random_int(0, (int)tensor->bytes + 8);
    uint8_t *data = spk_test_buffer(bytes);
    memset(data, 1, bytes);
    memcpy(data, tensor->data, bytes < tensor->bytes ? bytes : tensor->bytes);
    free(tensor->data);
    tensor->data = data;
    tensor->bytes = bytes;
  } else if (tensor->bytes >= sizeof(float)) {
    const float value = any_float();
    const size_t at = (size_t)spk_random_int(0, (int)(tensor->bytes / sizeof(float)) - 1);
    memcpy((uint8_t *)tensor->data + at * sizeof(float), &value, sizeof(float));
  }
}

static void mutate_tensor(host *h) {
  TfLiteTensor *tensor = &h->tensors[spk_random_int(0, h->tensor_count - 1)];
  static const int types[] = {0, 1, 2, 3, 4, 7, 9, 10, 16};
  switch (spk_random_int(0, 7)) {
    case 0:
      tensor->type = types[spk_random_int(0, 8)];
      break;
    case 1:
    case 2:
      tensor->dims = never_null(any_array(tensor->dims));
      break;
    case 3:
      if (tensor->sparsity) mutate_sparsity(tensor->sparsity);
      break;
    case 4:
      mutate_data(tensor);
      break;
    case 5:
      tensor->is_variable = true;
      break;
    default:
      mutate_quantization(tensor);
  }
  if (tensor->sparsity && spk_random_int(0, 1)) mutate_sparsity(tensor->sparsity);
}

static void mutate_node(host *h) {
  struct host_node *n = &h->nodes[spk_random_int(0, h->node_count - 1)];
  int *options = n->node.builtin_data;
  switch (spk_random_int(0, 3)) {
    case 0:
      n->node.inputs = never_null(any_array(n->node.inputs));
      break;
    case 1: {
      const int output = spk_random_int(0, h->tensor_count - 1);
      n->node.outputs->data[0] = output;
      break;
    }
    case 2:  // every builtin has two words at least; convolutions have six
      if (options) {
        const int words = n->registration.builtin_code == kTfLiteBuiltinConv2d ||
                                  n->registration.builtin_code == kTfLiteBuiltinDepthwiseConv2d
                              ? 6
                              : 2;
        const int at = spk_random_int(0, words - 1);
        options[at] = any_number(options[at]);
      }
      break;
    default:
      free(n->node.builtin_data);
      n->node.builtin_data = NULL;
  }
}

static TfLiteDelegate *any_delegate(void) {
  static const char *const chains[] = {"auto", "off", "always"};
  static const char *const threads[] = {"1", "2"};
  const char *const names[] = {"chains", "num_threads", "min_sparsity"};
  const char *const values[] = {chains[spk_random_int(0, 2)], threads[spk_random_int(0, 1)],
                                "0"};
  return tflite_plugin_create_delegate(names, values, spk_random_int(0, 3) ? 3 : 2, NULL);
}

// Other sizes of the input, as a user may ask for.
static void resize_input(host *h) {
  TfLiteTensor *input = &h->tensors[0];
  TfLiteIntArray *shape = host_array(input->dims->size, input->dims->data);
  for (int i = 0; i < shape->size; ++i)
    if (spk_random_int(0, 2) == 0) shape->data[i] = spk_random_int(0, 6);
  host_resize(&h->context, input, shape);
}

// As if on another processor.
static void use_any_isa(void) {
#if defined(__x86_64__)
  static const char *const isas[] = {"", "", "avx2", "avxvnni", "avx512", "avx512vnni"};
  spk_use_isa(isas[spk_random_int(0, 5)]);
#endif
}

static int run_case(void) {
  use_any_isa();
  host *h = model_random();
  for (int i = spk_random_int(0, 4); i > 0; --i) {
    if (spk_random_int(0, 3))
      mutate_tensor(h);
    else
      mutate_node(h);
  }
  TfLiteDelegate *delegate = any_delegate();
  int ran = 0;
  if (delegate->Prepare(&h->context, delegate) == kTfLiteOk) {
    ran = host_run(h);
    resize_input(h);
    ran += host_run(h);
  }
  host_destroy(h);
  tflite_plugin_destroy_delegate(delegate);
  return ran;
}

int main(int count, char **values) {
  if (count != 4) {
    fprintf(stderr, "usage: %s SEED FIRST COUNT\n", values[0]);
    return 2;
  }
  const uint64_t seed = strtoull(values[1], NULL, 10), first = strtoull(values[2], NULL, 10);
  const uint64_t cases = strtoull(values[3], NULL, 10);
  uint64_t ran = 0;
  for (uint64_t i = first; i < first + cases; ++i) {
    spk_test_random_state =
        seed * UINT64_C(0x9e3779b97f4a7c15) + i * UINT64_C(0xd1b54a32d192ed03);
    printf("case %llu\n", (unsigned long long)i);
    fflush(stdout);
    ran += run_case() > 0;
  }
  printf("%llu of %llu ran layers\n", (unsigned long long)ran, (unsigned long long)cases);
  return 0;
}
