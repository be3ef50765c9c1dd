// The int8 kernels for Arm cores with the DSP extension against the reference kernels, over
// random shapes: equal bytes. Elsewhere they are their portable twins; under QEMU the
// assembly itself is tested.
#include <string.h>

#include "spk/kernels_s8.h"
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

int main(void) {
  for (int number = 0; number < kCases; ++number) {
    convolution(number);
    long_runs(number);
    depthwise(number);
  }
  return spk_test_result();
}
