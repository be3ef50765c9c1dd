// Pooling and means of int8 against the reference kernels, over random windows: equal bytes.
// Elsewhere the kernels are their portable twins; under QEMU the instructions are tested.
#include <string.h>

#include "spk/kernels_s8.h"
#include "tests/random_s8.h"

enum { kCases = 300 };

typedef void pool(const spk_window2d *, int32_t, int32_t, const int8_t *, int8_t *);

static void expect_alike(pool *expect, pool *get, const spk_window2d *w, int number,
                         const char *kernel) {
  const size_t in = (size_t)(w->batch * w->in_h * w->in_w * w->in_c);
  const size_t out = (size_t)(w->batch * w->out_h * w->out_w * w->in_c);
  int8_t *input = random_values(in, 0);
  int8_t *expected = spk_test_buffer(out), *got = spk_test_buffer(out);
  const int clamps = spk_random_int(0, 2) == 0;
  const int32_t act_min = clamps ? spk_random_int(-128, 0) : -128;
  const int32_t act_max = clamps ? spk_random_int(act_min, 127) : 127;
  expect(w, act_min, act_max, input, expected);
  get(w, act_min, act_max, input, got);
  expect_same(expected, got, out, number, kernel);
  free(got), free(expected), free(input);
}

// Windows that all touch the input: no more padding than a window covers.
static spk_window2d random_pool(void) {
  spk_window2d w = random_window(spk_random_int(1, 21), 1);
  w.out_c = w.in_c;
  w.dilation_h = w.dilation_w = 1;
  w.kernel_h = spk_random_int(1, 4), w.kernel_w = spk_random_int(1, 4);
  w.pad_top = spk_random_int(0, w.kernel_h - 1), w.pad_left = spk_random_int(0, w.kernel_w - 1);
  w.in_h = spk_random_int(1, 9), w.in_w = spk_random_int(1, 9);
  w.out_h = (w.in_h - 1 + w.pad_top) / w.stride_h + 1;
  w.out_w = (w.in_w - 1 + w.pad_left) / w.stride_w + 1;
  return w;
}

// A window larger than a halfword has room for: of all pixels, or of most.
static spk_window2d large_pool(void) {
  spk_window2d w = random_pool();
  w.batch = w.out_h = w.out_w = 1;
  w.pad_top = w.pad_left = 0;
  w.in_h = w.kernel_h = spk_random_int(15, 20);
  w.in_w = w.kernel_w = spk_random_int(15, 300);
  w.in_w += spk_random_int(0, 1);
  return w;
}

static void pools(spk_window2d w, int number) {
  expect_alike(spk_max_pool2d_s8__ref, spk_max_pool2d_s8__c, &w, number, "max, portable");
  expect_alike(spk_max_pool2d_s8__ref, spk_max_pool2d_s8__armv7em, &w, number, "max, armv7em");
  expect_alike(spk_max_pool2d_s8__ref, spk_max_pool2d_s8__mve, &w, number, "max, mve");
  expect_alike(spk_average_pool2d_s8__ref, spk_average_pool2d_s8__armv7em, &w, number,
               "average, armv7em");
}

static void means(int number) {
  const spk_mean m = {
      .outer = spk_random_int(1, 3),
      .reduced = spk_random_int(1, number % 5 ? 70 : 800),
      .inner = spk_random_int(1, 13),
      .input_zero_point = spk_random_int(-128, 127),
      .output_zero_point = spk_random_int(-128, 127),
      .multiplier = spk_random_int(1 << 30, INT32_MAX),
      .shift = spk_random_int(-14, -1),
  };
  const size_t in = (size_t)(m.outer * m.reduced * m.inner), out = (size_t)(m.outer * m.inner);
  int8_t *input = random_values(in, 0);
  int8_t *expected = spk_test_buffer(out), *got = spk_test_buffer(out);
  spk_mean_s8__ref(&m, input, expected);
  spk_mean_s8__armv7em(&m, input, got);
  expect_same(expected, got, out, number, "mean, armv7em");
  free(got), free(expected), free(input);
}

int main(void) {
  for (int number = 0; number < kCases; ++number) {
    pools(random_pool(), number);
    means(number);
  }
  for (int number = 0; number < kCases / 10; ++number) pools(large_pool(), number);
  return spk_test_result();
}
