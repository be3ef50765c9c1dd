// Decoding of TFLite's sparse tensors: one written out by hand, and thousands that lie.
#include "delegate/sparse_weights.h"

#include <string.h>

#include "tests/test.h"

static TfLiteIntArray *ints(int size, const int *data) {
  TfLiteIntArray *array = spk_test_buffer(sizeof(int) * ((size_t)size + 1));
  array->size = size;
  memcpy(array->data, data, sizeof(int) * (size_t)size);
  return array;
}

// A 2x8 int8 matrix in 1x4 blocks: row 0 has block 1, row 1 has blocks 0 and 1.
typedef struct sample {
  TfLiteDimensionMetadata dimensions[3];
  TfLiteSparsity sparsity;
  TfLiteTensor tensor;
  int8_t *values;
} sample;

static void make_sample(sample *s) {
  memset(s, 0, sizeof(*s));
  s->values = spk_test_buffer(12);
  for (int i = 0; i < 12; ++i) s->values[i] = (int8_t)(i + 1);
  s->dimensions[0] = (TfLiteDimensionMetadata){.format = kTfLiteDimDense, .dense_size = 2};
  s->dimensions[1] = (TfLiteDimensionMetadata){.format = kTfLiteDimSparseCSR,
                                               .array_segments = ints(3, (int[]){0, 1, 3}),
                                               .array_indices = ints(3, (int[]){1, 0, 1})};
  s->dimensions[2] = (TfLiteDimensionMetadata){.format = kTfLiteDimDense, .dense_size = 4};
  s->sparsity = (TfLiteSparsity){.traversal_order = ints(3, (int[]){0, 1, 2}),
                                 .block_map = ints(1, (int[]){1}),
                                 .dim_metadata = s->dimensions,
                                 .dim_metadata_size = 3};
  s->tensor = (TfLiteTensor){.type = kTfLiteInt8,
                             .data = s->values,
                             .dims = ints(2, (int[]){2, 8}),
                             .bytes = 12,
                             .sparsity = &s->sparsity};
}

static void free_sample(sample *s) {
  free(s->values);
  free(s->dimensions[1].array_segments);
  free(s->dimensions[1].array_indices);
  free(s->sparsity.traversal_order);
  free(s->sparsity.block_map);
  free(s->tensor.dims);
}

static const char *decode(const sample *s, int8_t *dense) {
  return spk_dense_weights(&s->tensor, dense, spk_dense_bytes(&s->tensor));
}

static void test_blocks(void) {
  static const int8_t expected[16] = {0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  sample s;
  int8_t dense[16];
  make_sample(&s);
  EXPECT(spk_dense_bytes(&s.tensor) == 16, "%zu", spk_dense_bytes(&s.tensor));
  const char *reason = decode(&s, dense);
  EXPECT(reason == NULL, "%s", reason);
  EXPECT(memcmp(dense, expected, sizeof(expected)) == 0, "other values");
  free_sample(&s);
}

// Puts one wrong number into one of the places that come from a file.
static void spoil(sample *s, int place, int value) {
  int *places[] = {
      &s->dimensions[0].format,
      &s->dimensions[0].dense_size,
      &s->dimensions[1].format,
      &s->dimensions[1].dense_size,
      &s->dimensions[2].format,
      &s->dimensions[2].dense_size,
      &s->dimensions[1].array_segments->data[0],
      &s->dimensions[1].array_segments->data[1],
      &s->dimensions[1].array_segments->data[2],
      &s->dimensions[1].array_indices->data[0],
      &s->dimensions[1].array_indices->data[2],
      &s->sparsity.traversal_order->data[0],
      &s->sparsity.traversal_order->data[1],
      &s->sparsity.traversal_order->data[2],
      &s->sparsity.block_map->data[0],
  };
  *places[place % (int)(sizeof(places) / sizeof(places[0]))] = value;
}

static void test_hostile_numbers(void) {
  static const int values[] = {-1, 0, 1, 2, 3, 4, 7, 8, 100, INT32_MAX, INT32_MIN};
  for (int trial = 0; trial < 20000; ++trial) {
    sample s;
    make_sample(&s);
    const int changes = spk_random_int(1, 3);
    for (int i = 0; i < changes; ++i)
      spoil(&s, spk_random_int(0, 14), values[spk_random_int(0, 10)]);
    int8_t *dense = spk_test_buffer(16);
    decode(&s, dense);  // must only stay inside its buffers
    free(dense);
    free_sample(&s);
  }
}

static void test_hostile_sizes(void) {
  for (int change = 0; change < 8; ++change) {
    sample s;
    int8_t dense[16];
    make_sample(&s);
    if (change == 0) s.tensor.bytes = 11;  // fewer values than the indices name
    if (change == 1) s.sparsity.dim_metadata_size = 2;
    if (change == 2) s.sparsity.traversal_order->size = 2;
    if (change == 3) s.sparsity.block_map->size = 0;
    if (change == 4) s.dimensions[1].array_segments->size = 2;
    if (change == 5) s.dimensions[1].array_indices->size = 2;
    if (change == 6) s.tensor.data = NULL;
    if (change == 7) s.dimensions[2].dense_size = 3;
    EXPECT(decode(&s, dense) != NULL, "change %d", change);
    free_sample(&s);
  }
}

static void test_shapes(void) {
  sample s;
  make_sample(&s);
  s.tensor.dims->data[0] = INT32_MAX;
  EXPECT(spk_dense_bytes(&s.tensor) == 0, "2^34 elements");
  s.tensor.dims->data[0] = -2;
  EXPECT(spk_dense_bytes(&s.tensor) == 0, "a negative dimension");
  s.tensor.dims->data[0] = 2;
  s.tensor.type = kTfLiteInt32;
  EXPECT(spk_dense_bytes(&s.tensor) == 0, "int32");
  free_sample(&s);
}

int main(void) {
  test_blocks();
  test_hostile_numbers();
  test_hostile_sizes();
  test_shapes();
  return spk_test_result();
}
