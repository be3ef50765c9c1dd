// Random int8 values, requantisations and windows for tests of int8 kernels.
#ifndef SPK_TESTS_RANDOM_S8_H_
#define SPK_TESTS_RANDOM_S8_H_

#include <string.h>

#include "spk/formats.h"
#include "spk/types.h"
#include "tests/test.h"

static inline int8_t *random_s8(size_t count, int percent_zero, int low, int high) {
  int8_t *values = spk_test_buffer(count);
  for (size_t i = 0; i < count; ++i) {
    values[i] = spk_random_int(0, 99) < percent_zero ? 0 : (int8_t)spk_random_int(low, high);
  }
  return values;
}

// Now and then all the same end of the range: the largest sums there are.
static inline int8_t *random_values(size_t count, int percent_zero) {
  const int8_t end = spk_random_int(0, 1) ? 127 : -128;
  int8_t *values = random_s8(count, percent_zero, -128, 127);
  if (spk_random_int(0, 3) == 0) memset(values, end, count);
  return values;
}

static inline int8_t *random_weights(size_t count) {
  return random_values(count, spk_random_int(0, 99));
}

typedef struct requant_case {
  spk_requant q;
  int32_t *multiplier, *shift, *bias;
  uint32_t *low;
} requant_case;

static inline int32_t large_bias(void) {
  const int32_t size = spk_random_int(0, 2000000000);
  return spk_random_int(0, 1) ? size : -size;
}

static inline requant_case random_requant(int32_t channels) {
  const size_t bytes = (size_t)channels * sizeof(int32_t);
  requant_case r = {.multiplier = spk_test_buffer(bytes),
                    .shift = spk_test_buffer(bytes),
                    .bias = spk_test_buffer(bytes),
                    .low = spk_test_buffer(bytes)};
  const int large = spk_random_int(0, 5) == 0;
  for (int32_t c = 0; c < channels; ++c) {
    r.multiplier[c] = spk_random_int(1 << 30, INT32_MAX - 1);
    r.shift[c] = large ? spk_random_int(-25, 2) : spk_random_int(-14, -5);
    r.bias[c] = large ? large_bias() : spk_random_int(-9000, 9000);
    r.low[c] = spk_random();
  }
  r.q = (spk_requant){.multiplier = r.multiplier,
                      .shift = r.shift,
                      .input_offset = spk_random_int(0, 1) ? 128 : spk_random_int(-127, 128),
                      .output_offset = spk_random_int(-128, 127),
                      .act_min = spk_random_int(0, 1) ? -128 : spk_random_int(-128, 0),
                      .act_max = spk_random_int(0, 1) ? 127 : spk_random_int(0, 127)};
  return r;
}

static inline void release(requant_case r) {
  free(r.multiplier);
  free(r.shift);
  free(r.bias);
  free(r.low);
}

static inline spk_window2d random_window(int32_t in_c, int32_t out_c) {
  spk_window2d w = {.batch = spk_random_int(1, 2),
                    .in_h = spk_random_int(1, 9),
                    .in_w = spk_random_int(1, 9),
                    .in_c = in_c,
                    .out_c = out_c,
                    .kernel_h = spk_random_int(1, 4),
                    .kernel_w = spk_random_int(1, 4),
                    .stride_h = spk_random_int(1, 3),
                    .stride_w = spk_random_int(1, 3),
                    .dilation_h = spk_random_int(1, 2),
                    .dilation_w = spk_random_int(1, 2)};
  w.pad_top = spk_random_int(0, w.kernel_h - 1);
  w.pad_left = spk_random_int(0, w.kernel_w - 1);
  w.out_h = spk_random_int(1, 1 + (w.in_h + w.pad_top - 1) / w.stride_h);
  w.out_w = spk_random_int(1, 1 + (w.in_w + w.pad_left - 1) / w.stride_w);
  return w;
}

static inline uint8_t *packed(const int8_t *weights, int32_t rows, int32_t cols) {
  const size_t bytes = spk_stream_s8_pack_size(weights, rows, cols);
  uint8_t *stream = spk_test_buffer(bytes);
  EXPECT(spk_stream_s8_pack(weights, rows, cols, stream, bytes) == SPK_OK, "pack");
  return stream;
}

#endif  // SPK_TESTS_RANDOM_S8_H_
