// The int8 kernels for Arm cores with the DSP extension against the reference kernels, over
// random shapes: equal bytes. Elsewhere they are their portable twins; under QEMU the
// assembly itself is tested.
#include <string.h>

#include "spk/kernels_s8.h"
#include "spk/requantize_s8.h"
#include "tests/random_s8.h"

enum { kCases = 150 };

static void convolution(int number) {
  const spk_window2d w = wide_window(spk_random_int(1, 20), spk_random_int(1, 9));
  const conv_case c = random_convolution(w, common_requant(w.out_c));
  EXPECT_CONV(c, number, spk_conv2d_s8_dense__armv7em, spk_conv2d_s8_dense__armv7em_scratch(&w),
              &w, &c.r.q, c.input, c.weights, c.bias);
  uint8_t *stream = packed(c.weights, w.out_c, c.cols);
  EXPECT_CONV(c, number, spk_conv2d_s8_stream__armv7em,
              spk_conv2d_s8_stream__armv7em_scratch(&w), &w, &c.r.q, c.input, stream, c.bias);
  free(stream);
  release_conv_case(c);
}

// Rows of up to 300 pairs in one run, which small weights allow, and every shift.
static void long_runs(int number) {
  spk_window2d w = wide_window(spk_random_int(1, 40), spk_random_int(1, 9));
  requant_case r = common_requant(w.out_c);
  const int32_t cols = w.kernel_h * w.kernel_w * w.in_c;
  const int32_t most = (1 << 21) / 255 / 300;
  int8_t *weights = spk_test_buffer((size_t)(w.out_c * cols));
  for (int32_t i = 0; i < w.out_c * cols; ++i) {
    weights[i] = (int8_t)(spk_random_int(0, 1) ? 0 : spk_random_int(-most, most));
  }
  for (int32_t c = 0; c < w.out_c; ++c) r.shift[c] = spk_random_int(-16, -1);
  r.q.lane_run = 300;
  const conv_case c = make_conv_case(w, r, weights, spk_conv2d_s8_dense__ref);
  EXPECT_CONV(c, number, spk_conv2d_s8_dense__armv7em, spk_conv2d_s8_dense__armv7em_scratch(&w),
              &w, &c.r.q, c.input, c.weights, c.bias);
  uint8_t *stream = packed(c.weights, w.out_c, c.cols);
  EXPECT_CONV(c, number, spk_conv2d_s8_stream__armv7em,
              spk_conv2d_s8_stream__armv7em_scratch(&w), &w, &c.r.q, c.input, stream, c.bias);
  free(stream);
  release_conv_case(c);
}

static void depthwise(int number) {
  const int32_t depth = spk_random_int(1, 9);
  const spk_window2d w = wide_window(depth, depth * spk_random_int(1, 3));
  const conv_case c = random_depthwise(w, common_requant(w.out_c));
  EXPECT_CONV(c, number, spk_depthwise_conv2d_s8_dense__armv7em,
              spk_depthwise_conv2d_s8_dense__armv7em_scratch(&w), &w, &c.r.q, c.input,
              c.weights, c.bias);
  release_conv_case(c);
}

// What an exported function computes, from weights that a file keeps: here from a dense matrix.
static const int8_t *code_weights;
static const int32_t *code_bias;
static const spk_requant *code_requant;  // NULL: the results are sums
static int32_t code_rows, code_cols;

static void code(const int16_t *x, const uint32_t *literals, void *output) {
  static const int8_t place[4] = {0, 2, 1, 3};
  EXPECT(*literals == 77, "literals");
  for (int32_t r = 0; r < code_rows; ++r) {
    int32_t sum = code_bias[r];
    for (int32_t c = 0; c < code_cols; ++c) {
      sum += code_weights[r * code_cols + c] * x[c / 4 * 4 + place[c % 4]];
    }
    if (code_requant == NULL) {
      ((int32_t *)output)[r] = sum;
    } else {
      ((int8_t *)output)[r] = spk_requantize_once_s8(sum, code_requant, r);
    }
  }
}

// Functions that scale, and such that leave it to the kernel.
static void weights_as_code(int number) {
  static const uint32_t literals[1] = {77};
  const int32_t batch = spk_random_int(1, 3), rows = spk_random_int(1, 90);
  const int32_t cols = spk_random_int(1, 99), outputs = batch * rows;
  requant_case r = random_requant(rows);
  for (int32_t c = 0; c < rows; ++c) r.shift[c] = spk_random_int(-14, -5);
  r.q.multiplier_low = r.low;
  int8_t *weights = random_weights((size_t)(rows * cols));
  int8_t *input = random_values((size_t)(batch * cols), 0);
  int8_t *expected = spk_test_buffer((size_t)outputs), *got = spk_test_buffer((size_t)outputs);
  spk_fully_connected_s8_dense__ref(batch, rows, cols, &r.q, input, weights, r.bias, expected);
  code_weights = weights, code_bias = r.bias, code_rows = rows, code_cols = cols;
  for (int scales = 0; scales < 2; ++scales) {
    const spk_requant none = {.input_offset = r.q.input_offset};
    void *scratch =
        spk_test_buffer(spk_fully_connected_s8_code__armv7em_scratch(rows, cols, scales));
    code_requant = scales ? &r.q : NULL;
    spk_fully_connected_s8_code__armv7em(batch, rows, cols, scales ? &none : &r.q, input, code,
                                         literals, got, scratch);
    EXPECT(memcmp(expected, got, (size_t)outputs) == 0, "case %d, scales %d", number, scales);
    free(scratch);
  }
  free(got);
  free(expected);
  free(input);
  free(weights);
  release(r);
}

// Sums of inputs of any scales, elementwise or by repeating the second, in place too.
static void sums(int number) {
  const int32_t period = spk_random_int(1, 40), repeats = spk_random_int(1, 3);
  const int larger = spk_random_int(0, 2);  // 2: both
  const int32_t half = 1 << 30, any = spk_random_int(half, INT32_MAX), right = -12;
  spk_add p = {
      .size = period * repeats,
      .b_period = period,
      .a_offset = spk_random_int(-127, 128),
      .b_offset = spk_random_int(-127, 128),
      .output_offset = spk_random_int(-128, 127),
      .a_multiplier = larger == 1 ? any : half,
      .a_shift = larger == 1 ? spk_random_int(right, -1) : 0,
      .b_multiplier = larger == 0 ? any : half,
      .b_shift = larger == 0 ? spk_random_int(right, -1) : 0,
      .output_multiplier = spk_random_int(half, INT32_MAX),
      .output_shift = spk_random_int(-24, -16),
      .left_shift = 20,
      .act_min = spk_random_int(0, 5) ? -128 : -7,
      .act_max = spk_random_int(0, 5) ? 127 : 90,
  };
  int8_t *a = spk_test_buffer((size_t)p.size), *b = spk_test_buffer((size_t)period);
  int8_t *expected = spk_test_buffer((size_t)p.size);
  for (int32_t i = 0; i < p.size; ++i) a[i] = (int8_t)spk_random_int(-128, 127);
  for (int32_t i = 0; i < period; ++i) b[i] = (int8_t)spk_random_int(-128, 127);
  spk_add_s8__ref(&p, a, b, expected);
  spk_add_s8__armv7em(&p, a, b, a);
  expect_same(expected, a, (size_t)p.size, number, "spk_add_s8__armv7em");
  free(a), free(b), free(expected);
}

int main(void) {
  for (int number = 0; number < kCases; ++number) {
    convolution(number);
    long_runs(number);
    depthwise(number);
    weights_as_code(number);
    sums(number);
  }
  return spk_test_result();
}
