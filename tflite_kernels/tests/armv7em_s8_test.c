// The int8 kernels for Arm cores with the DSP extension against the reference kernels, over
// random shapes: equal bytes. Elsewhere they are their portable twins; under QEMU the
// assembly itself is tested.
#include <string.h>

#include "spk/kernels_s8.h"
#include "tests/random_s8.h"

enum { kCases = 150 };

// Wider than others: strips and tiles need room.
static spk_window2d wide_window(int32_t in_c, int32_t out_c) {
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
static requant_case common_requant(int32_t channels) {
  requant_case r = random_requant(channels);
  if (spk_random_int(0, 2) == 0) return r;
  r.q.act_min = -128;
  r.q.act_max = 127;
  if (spk_random_int(0, 1)) r.q.output_offset = -128;
  if (spk_random_int(0, 3) == 0) r.shift[0] = spk_random_int(-31, -20);
  return r;
}

static void expect_same(const int8_t *expected, const int8_t *got, size_t count, int number,
                        const char *kernel) {
  EXPECT(memcmp(expected, got, count) == 0, "%s, case %d", kernel, number);
}

static void convolution(int number) {
  const spk_window2d w = wide_window(spk_random_int(1, 20), spk_random_int(1, 9));
  const int32_t cols = w.kernel_h * w.kernel_w * w.in_c;
  const size_t out = (size_t)(w.batch * w.out_h * w.out_w * w.out_c);
  requant_case r = common_requant(w.out_c);
  const int32_t *bias = spk_random_int(0, 4) ? r.bias : NULL;
  int8_t *input = random_values((size_t)(w.batch * w.in_h * w.in_w * w.in_c), 0);
  int8_t *weights = random_weights((size_t)(w.out_c * cols));
  int8_t *expected = spk_test_buffer(out), *got = spk_test_buffer(out);
  spk_conv2d_s8_dense__ref(&w, &r.q, input, weights, bias, expected);

  void *scratch = spk_test_buffer(spk_conv2d_s8_dense__armv7em_scratch(&w));
  spk_conv2d_s8_dense__armv7em(&w, &r.q, input, weights, bias, got, scratch);
  expect_same(expected, got, out, number, "spk_conv2d_s8_dense__armv7em");
  free(scratch);

  uint8_t *stream = packed(weights, w.out_c, cols);
  scratch = spk_test_buffer(spk_conv2d_s8_stream__armv7em_scratch(&w));
  spk_conv2d_s8_stream__armv7em(&w, &r.q, input, stream, bias, got, scratch);
  expect_same(expected, got, out, number, "spk_conv2d_s8_stream__armv7em");
  free(scratch);
  free(stream);
  free(got);
  free(expected);
  free(weights);
  free(input);
  release(r);
}

static void depthwise(int number) {
  const int32_t depth = spk_random_int(1, 9);
  const spk_window2d w = wide_window(depth, depth * spk_random_int(1, 3));
  const size_t out = (size_t)(w.batch * w.out_h * w.out_w * w.out_c);
  requant_case r = common_requant(w.out_c);
  const int32_t *bias = spk_random_int(0, 4) ? r.bias : NULL;
  int8_t *input = random_values((size_t)(w.batch * w.in_h * w.in_w * w.in_c), 0);
  int8_t *weights = random_weights((size_t)(w.kernel_h * w.kernel_w * w.out_c));
  int8_t *expected = spk_test_buffer(out), *got = spk_test_buffer(out);
  spk_depthwise_conv2d_s8_dense__ref(&w, &r.q, input, weights, bias, expected);
  void *scratch = spk_test_buffer(spk_depthwise_conv2d_s8_dense__armv7em_scratch(&w));
  spk_depthwise_conv2d_s8_dense__armv7em(&w, &r.q, input, weights, bias, got, scratch);
  expect_same(expected, got, out, number, "spk_depthwise_conv2d_s8_dense__armv7em");
  free(scratch);
  free(got);
  free(expected);
  free(weights);
  free(input);
  release(r);
}

int main(void) {
  for (int number = 0; number < kCases; ++number) {
    convolution(number);
    depthwise(number);
  }
  return spk_test_result();
}
