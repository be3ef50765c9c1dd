// Random int8 values, requantisations and windows for tests of int8 kernels.
#ifndef SPK_TESTS_RANDOM_S8_H_
#define SPK_TESTS_RANDOM_S8_H_

#include <string.h>

#include "spk/formats.h"
#include "spk/kernels_s8.h"
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

// Halves go upwards, with a right shift for each channel: what is expected is the definition.
static inline void make_round_up(requant_case *r, int32_t rows, int32_t batch,
                                 const int8_t *input, const int8_t *weights, int32_t cols,
                                 int8_t *expected) {
  r->q.round_up = 1;
  r->q.per_tensor = 0;
  for (int32_t c = 0; c < rows; ++c) {
    if (r->shift[c] >= 0) r->shift[c] = -1 - r->shift[c];
    for (int32_t b = 0; b < batch; ++b) {
      uint32_t sum = (uint32_t)r->bias[c];
      for (int32_t i = 0; i < cols; ++i) {
        sum += (uint32_t)((input[b * cols + i] + r->q.input_offset) * weights[c * cols + i]);
      }
      const double exact = (double)(int32_t)sum * r->multiplier[c] / 2147483648.0;
      double scaled = exact;
      for (int32_t right = -r->shift[c]; right > 0; --right) scaled /= 2;
      scaled += 0.5 + r->q.output_offset;
      int32_t level = scaled > 1000 ? 1000 : scaled < -1000 ? -1000 : (int32_t)scaled;
      if (level > scaled) --level;  // floor
      level = level > r->q.act_max ? r->q.act_max : level < r->q.act_min ? r->q.act_min : level;
      expected[b * rows + c] = (int8_t)level;
    }
  }
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

// Wider than others: strips and tiles need room.
static inline spk_window2d wide_window(int32_t in_c, int32_t out_c) {
  spk_window2d w = random_window(in_c, out_c);
  if (spk_random_int(0, 2) == 0) return w;
  w.stride_h = w.stride_w = spk_random_int(1, 2);
  w.out_h = spk_random_int(1, 9);
  w.out_w = spk_random_int(8, 17);
  w.in_h = w.out_h * w.stride_h;
  w.in_w = w.out_w * w.stride_w;
  return w;
}

// Mostly what the assembly takes.
static inline requant_case common_requant(int32_t channels) {
  requant_case r = random_requant(channels);
  if (spk_random_int(0, 2) == 0) return r;
  r.q.act_min = -128;
  r.q.act_max = 127;
  if (spk_random_int(0, 1)) r.q.output_offset = -128;
  if (spk_random_int(0, 3) == 0) r.shift[0] = spk_random_int(-31, -20);
  return r;
}

// At most one weight in each group of m inputs, here and there none.
static inline int8_t *random_groups(int32_t rows, int32_t cols, int32_t m) {
  int8_t *dense = spk_test_buffer((size_t)(rows * cols));
  memset(dense, 0, (size_t)(rows * cols));
  const int is_large = spk_random_int(0, 3) == 0;
  for (int32_t r = 0; r < rows; ++r) {
    for (int32_t first = 0; first < cols; first += m) {
      const int32_t left = cols - first < m ? cols - first : m;
      const int32_t col = first + spk_random_int(0, left - 1);
      const int8_t weight = (int8_t)(is_large ? -128 : spk_random_int(-128, 127));
      if (spk_random_int(0, 9)) dense[r * cols + col] = weight;
    }
  }
  return dense;
}

static inline uint8_t *packed_groups(const int8_t *weights, int32_t rows, int32_t cols,
                                     int32_t m) {
  const size_t bytes = spk_groups_s8_pack_size(weights, rows, cols, m);
  uint8_t *groups = spk_test_buffer(bytes);
  EXPECT(spk_groups_s8_pack(weights, rows, cols, m, groups, bytes) == SPK_OK, "pack groups");
  return groups;
}

static inline void expect_same(const int8_t *expected, const int8_t *got, size_t count,
                               int number, const char *kernel) {
  EXPECT(memcmp(expected, got, count) == 0, "%s, case %d", kernel, number);
}

static inline uint8_t *packed(const int8_t *weights, int32_t rows, int32_t cols) {
  const size_t bytes = spk_stream_s8_pack_size(weights, rows, cols);
  uint8_t *stream = spk_test_buffer(bytes);
  EXPECT(spk_stream_s8_pack(weights, rows, cols, stream, bytes) == SPK_OK, "pack");
  return stream;
}

// A convolution, what the reference makes of it, and room for what another kernel makes of it.
typedef struct conv_case {
  spk_window2d w;
  requant_case r;
  const int32_t *bias;  // of r, or NULL
  int8_t *input, *weights, *expected, *got;
  int32_t cols;  // of the matrix of weights, which has w.out_c rows
  size_t out;
} conv_case;

typedef void conv_reference(const spk_window2d *, const spk_requant *, const int8_t *,
                            const int8_t *, const int32_t *, int8_t *);

// Takes the weights.
static inline conv_case make_conv_case(spk_window2d w, requant_case r, int8_t *weights,
                                       conv_reference *reference) {
  conv_case c = {.w = w, .r = r, .weights = weights};
  c.cols = w.kernel_h * w.kernel_w * w.in_c;
  c.out = (size_t)(w.batch * w.out_h * w.out_w * w.out_c);
  c.bias = spk_random_int(0, 4) ? r.bias : NULL;
  c.input = random_values((size_t)(w.batch * w.in_h * w.in_w * w.in_c), 0);
  c.expected = spk_test_buffer(c.out);
  c.got = spk_test_buffer(c.out);
  reference(&c.w, &c.r.q, c.input, c.weights, c.bias, c.expected);
  return c;
}

static inline void release_conv_case(conv_case c) {
  free(c.got);
  free(c.expected);
  free(c.weights);
  free(c.input);
  release(c.r);
}

static inline conv_case random_convolution(spk_window2d w, requant_case r) {
  const int32_t count = w.out_c * w.kernel_h * w.kernel_w * w.in_c;
  return make_conv_case(w, r, random_weights((size_t)count), spk_conv2d_s8_dense__ref);
}

static inline conv_case random_depthwise(spk_window2d w, requant_case r) {
  const int32_t count = w.kernel_h * w.kernel_w * w.out_c;
  return make_conv_case(w, r, random_weights((size_t)count),
                        spk_depthwise_conv2d_s8_dense__ref);
}

// Runs a kernel that ends with (..., output, scratch) on a case `c`, and compares.
#define EXPECT_CONV(c, number, kernel, scratch_bytes, ...)        \
  do {                                                            \
    void *scratch_ = spk_test_buffer(scratch_bytes);              \
    kernel(__VA_ARGS__, (c).got, scratch_);                       \
    expect_same((c).expected, (c).got, (c).out, number, #kernel); \
    free(scratch_);                                               \
  } while (0)

#endif  // SPK_TESTS_RANDOM_S8_H_
