// Mutated streams: what the checker accepts, unpacker and kernels read without leaving their
// buffers, which AddressSanitizer guards; all else is refused.
#include <string.h>

#include "spk/formats.h"
#include "spk/kernels_s8.h"
#include "test.h"

enum { kStreams = 40, kMutants = 150 };

typedef struct matrix {
  int32_t rows, cols;
  uint8_t *stream;
  size_t bytes;
} matrix;

static matrix random_stream(void) {
  matrix m = {spk_random_int(1, 12), spk_random_int(1, 600), NULL, 0};
  const size_t size = (size_t)m.rows * (size_t)m.cols;
  int8_t *dense = spk_test_buffer(size);
  const int percent = spk_random_int(0, 40);
  for (size_t i = 0; i < size; ++i) {
    dense[i] = (int8_t)(spk_random_int(0, 99) < percent ? spk_random_int(-128, 127) : 0);
  }
  m.bytes = spk_stream_s8_pack_size(dense, m.rows, m.cols);
  m.stream = spk_test_buffer(m.bytes);
  EXPECT(spk_stream_s8_pack(dense, m.rows, m.cols, m.stream, m.bytes) == SPK_OK, "pack");
  free(dense);
  return m;
}

// A copy of exactly its size: cut, stretched, or as long, with some bytes changed or moved.
static matrix mutated(const matrix *m) {
  static const uint8_t kEdges[] = {0, 1, 127, 128, 254, 255};
  matrix changed = *m;
  const int32_t length = (int32_t)m->bytes;
  if (spk_random_int(0, 3) == 0) changed.bytes = (size_t)spk_random_int(0, length + 9);
  changed.stream = spk_test_buffer(changed.bytes);
  for (size_t i = 0; i < changed.bytes; ++i) changed.stream[i] = m->stream[i % m->bytes];
  for (int n = spk_random_int(0, 4); n > 0 && changed.bytes > 0; --n) {
    const int32_t last = (int32_t)changed.bytes - 1;
    uint8_t *const at = changed.stream + spk_random_int(0, last);
    switch (spk_random_int(0, 3)) {
      case 0:
        *at ^= (uint8_t)(1u << spk_random_int(0, 7));
        break;
      case 1:
        *at = kEdges[spk_random_int(0, 5)];
        break;
      case 2:
        *at = changed.stream[spk_random_int(0, last)];
        break;
      default:
        ++*at;
    }
  }
  // The same bytes as a matrix of another shape.
  if (spk_random_int(0, 5) == 0) changed.rows = spk_random_int(-1, m->rows + 2);
  if (spk_random_int(0, 5) == 0) changed.cols = spk_random_int(-1, m->cols + 2);
  return changed;
}

static void run_kernels(const matrix *m) {
  const size_t rows = (size_t)m->rows, cols = (size_t)m->cols;
  const size_t larger = rows > cols ? rows : cols;
  int8_t *input = spk_test_buffer(larger), *output = spk_test_buffer(larger);
  int32_t *multiplier = spk_test_buffer(larger * sizeof *multiplier);
  int32_t *shift = spk_test_buffer(larger * sizeof *shift);
  for (size_t i = 0; i < larger; ++i) {
    input[i] = (int8_t)spk_random_int(-128, 127);
    multiplier[i] = 1 << 30;
    shift[i] = -9;
  }
  const spk_requant q = {.multiplier = multiplier,
                         .shift = shift,
                         .input_offset = 3,
                         .act_min = -128,
                         .act_max = 127};
  void *scratch =
      spk_test_buffer(spk_fully_connected_s8_stream__c_scratch(1, m->rows, m->cols));
  spk_fully_connected_s8_stream__c(1, m->rows, m->cols, &q, input, m->stream, NULL, output,
                                   scratch);
  free(scratch);
  // The transposed matrix by columns: m->cols outputs.
  scratch = spk_test_buffer(spk_fully_connected_s8_columns__c_scratch(m->cols));
  spk_fully_connected_s8_columns__c(1, m->cols, m->rows, &q, input, m->stream, NULL, output,
                                    scratch);
  free(scratch);
  const spk_window2d w = {.batch = 1,
                          .in_h = 1,
                          .in_w = 1,
                          .in_c = m->cols,
                          .out_h = 1,
                          .out_w = 1,
                          .out_c = m->rows,
                          .kernel_h = 1,
                          .kernel_w = 1,
                          .stride_h = 1,
                          .stride_w = 1,
                          .dilation_h = 1,
                          .dilation_w = 1};
  scratch = spk_test_buffer(spk_conv2d_s8_stream__c_scratch(&w));
  spk_conv2d_s8_stream__c(&w, &q, input, m->stream, NULL, output, scratch);
  free(scratch);
  free(input);
  free(output);
  free(multiplier);
  free(shift);
}

int main(void) {
  int accepted = 0, refused = 0;
  for (int i = 0; i < kStreams; ++i) {
    const matrix whole = random_stream();
    for (int n = 0; n < kMutants; ++n) {
      const matrix m = mutated(&whole);
      const spk_status status = spk_stream_s8_check(m.stream, m.bytes, m.rows, m.cols);
      if (status == SPK_OK) {
        int8_t *dense = spk_test_buffer((size_t)m.rows * (size_t)m.cols);
        EXPECT(spk_stream_s8_unpack(m.stream, m.bytes, m.rows, m.cols, dense) == SPK_OK,
               "stream %d, mutant %d", i, n);
        free(dense);
        run_kernels(&m);
        ++accepted;
      } else {
        EXPECT(status == SPK_ERR_FORMAT || m.rows < 1 || m.cols < 1, "stream %d, mutant %d", i,
               n);
        ++refused;
      }
      free(m.stream);
    }
    free(whole.stream);
  }
  EXPECT(accepted > kStreams * kMutants / 10 && refused > kStreams * kMutants / 10,
         "%d accepted, %d refused", accepted, refused);
  return spk_test_result();
}
