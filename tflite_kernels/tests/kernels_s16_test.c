// The 16x8 convolution against its reference kernel, over random shapes: equal values.
#include <string.h>

#include "spk/kernels_s8.h"
#include "tests/random_s8.h"

enum { kCases = 150 };

static void *random_bytes(size_t count, int percent_zero, int extreme) {
  int8_t *values = spk_test_buffer(count);
  for (size_t i = 0; i < count; ++i) {
    const int value = extreme ? -128 : spk_random_int(-128, 127);
    values[i] = spk_random_int(0, 99) < percent_zero ? 0 : (int8_t)value;
  }
  return values;
}

static void convolution(int number) {
  const spk_window2d w = random_window(spk_random_int(1, 150), spk_random_int(1, 7));
  const int32_t cols = w.kernel_h * w.kernel_w * w.in_c;
  const size_t channels = (size_t)w.out_c;
  const size_t out = (size_t)(w.batch * w.out_h * w.out_w) * channels * sizeof(int16_t);
  const int extreme = spk_random_int(0, 3) == 0;  // the largest sums there are
  int64_t *bias = spk_test_buffer(channels * sizeof *bias);
  int32_t *multiplier = spk_test_buffer(channels * sizeof *multiplier);
  int32_t *right = spk_test_buffer(channels * sizeof *right);
  for (size_t c = 0; c < channels; ++c) {
    bias[c] = (int64_t)spk_random_int(-1000000000, 1000000000) * 1000;
    multiplier[c] = spk_random_int(1 << 14, INT16_MAX);
    right[c] = spk_random_int(20, 46);
  }
  const spk_requant_s16 q = {.bias = spk_random_int(0, 2) ? bias : NULL,
                             .multiplier = multiplier,
                             .right = right,
                             .act_min = INT16_MIN,
                             .act_max = spk_random_int(0, INT16_MAX)};
  int16_t *input = random_bytes((size_t)(w.batch * w.in_h * w.in_w * w.in_c) * 2, 0, extreme);
  int8_t *weights = random_bytes(channels * (size_t)cols, spk_random_int(0, 99), extreme);
  int16_t *expected = spk_test_buffer(out), *got = spk_test_buffer(out);
  void *scratch = spk_test_buffer(spk_conv2d_s16__c_scratch(&w));
  spk_conv2d_s16_dense__ref(&w, &q, input, weights, expected);

  spk_conv2d_s16__c(&w, &q, spk_sum_rows_s16_dense__c, weights, input, got, scratch);
  EXPECT(memcmp(expected, got, out) == 0, "dense, case %d", number);
  uint8_t *stream = packed(weights, w.out_c, cols);
  spk_conv2d_s16__c(&w, &q, spk_sum_rows_s16_stream__c, stream, input, got, scratch);
  EXPECT(memcmp(expected, got, out) == 0, "stream, case %d", number);
  free(stream);
  free(scratch);
  free(got);
  free(expected);
  free(weights);
  free(input);
  free(right);
  free(multiplier);
  free(bias);
}

int main(void) {
  for (int number = 0; number < kCases; ++number) convolution(number);
  return spk_test_result();
}
