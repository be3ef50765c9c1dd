// groups_s8: what goes in comes out, no blob makes check() or unpack() read outside, and the
// kernels give the bytes of the reference.
#include <string.h>

#include "spk/formats.h"
#include "spk/kernels_s8.h"
#include "tests/random_s8.h"

static void round_trip(int32_t rows, int32_t cols, int32_t m) {
  const size_t count = (size_t)(rows * cols);
  int8_t *dense = random_groups(rows, cols, m), *again = spk_test_buffer(count);
  const size_t bytes = spk_groups_s8_pack_size(dense, rows, cols, m);
  uint8_t *blob = spk_test_buffer(bytes);
  EXPECT(bytes > 0 && bytes % 4 == 0, "%d x %d of %d: %zu bytes", rows, cols, m, bytes);
  EXPECT(spk_groups_s8_pack(dense, rows, cols, m, blob, bytes - 1) == SPK_ERR_SPACE, "space");
  EXPECT(spk_groups_s8_pack(dense, rows, cols, m, blob, bytes) == SPK_OK, "pack");
  EXPECT(spk_groups_s8_unpack(blob, bytes, rows, cols, m, again) == SPK_OK, "unpack");
  EXPECT(memcmp(dense, again, count) == 0, "%d x %d of %d", rows, cols, m);
  EXPECT(spk_groups_s8_check(blob, bytes - 1, rows, cols, m) == SPK_ERR_FORMAT, "truncated");
  EXPECT(spk_groups_s8_check(blob, bytes, rows + 1, cols, m) == SPK_ERR_FORMAT, "a row short");
  for (int i = 0; i < 50; ++i) {  // any byte may change: refused, or still such a matrix
    const size_t at = (size_t)spk_random_int(0, (int32_t)bytes - 1);
    const uint8_t before = blob[at];
    blob[at] = (uint8_t)spk_random();
    const spk_status status = spk_groups_s8_check(blob, bytes, rows, cols, m);
    EXPECT(spk_groups_s8_unpack(blob, bytes, rows, cols, m, again) == status, "byte %zu", at);
    blob[at] = before;
  }
  free(blob);
  free(again);
  free(dense);
}

static void refused(void) {
  const int8_t dense[16] = {1, 2};
  uint8_t blob[64] = {0};
  EXPECT(spk_groups_s8_pack_size(dense, 1, 16, 4) == 0, "two weights in a group");
  EXPECT(spk_groups_s8_pack(dense, 1, 16, 4, blob, 64) == SPK_ERR_UNSUPPORTED, "two weights");
  EXPECT(spk_groups_s8_pack_size(dense, 1, 16, 2) == 0, "groups of two");
  EXPECT(spk_groups_s8_check(blob, 8, 1, 16, 3) == SPK_ERR_ARGUMENT, "groups of three");
  EXPECT(spk_groups_s8_check(NULL, 8, 1, 16, 4) == SPK_ERR_ARGUMENT, "null");
  EXPECT(spk_groups_s8_check(blob, 8, 1, 16, 4) == SPK_OK, "all zero");
  blob[0] = 3;
  EXPECT(spk_groups_s8_check(blob, 8, 1, 3, 4) == SPK_ERR_FORMAT, "beyond the last column");
  blob[0] = 8;
  EXPECT(spk_groups_s8_check(blob, 8, 1, 16, 8) == SPK_ERR_FORMAT, "beyond the group");
}

static void kernel(int number) {
  const int32_t m = spk_random_int(0, 1) ? 4 : 8, batch = spk_random_int(1, 2);
  const int32_t rows = spk_random_int(1, 70), cols = spk_random_int(1, 300);
  int8_t *weights = random_groups(rows, cols, m);
  int8_t *input = spk_test_buffer((size_t)(batch * cols));
  for (int32_t i = 0; i < batch * cols; ++i) input[i] = (int8_t)spk_random();
  int8_t *expected = spk_test_buffer((size_t)(batch * rows));
  int8_t *got = spk_test_buffer((size_t)(batch * rows));
  const int32_t multiplier = spk_random_int(1 << 30, INT32_MAX - 1);
  const int32_t shift = spk_random_int(-10, -5);
  const uint32_t low = spk_random();
  const spk_requant q = {.multiplier = &multiplier,
                         .shift = &shift,
                         .multiplier_low = &low,
                         .per_tensor = 1,
                         .input_offset = spk_random_int(-127, 128),
                         .output_offset = spk_random_int(-128, 127),
                         .act_min = spk_random_int(-128, 0),
                         .act_max = 127};
  int32_t *bias = spk_test_buffer((size_t)rows * sizeof(int32_t));
  int32_t *folded = spk_test_buffer((size_t)rows * sizeof(int32_t));
  for (int32_t r = 0; r < rows; ++r) {
    folded[r] = bias[r] = spk_random_int(-9000, 9000);
    for (int32_t c = 0; c < cols; ++c) folded[r] += q.input_offset * weights[r * cols + c];
  }
  spk_fully_connected_s8_dense__ref(batch, rows, cols, &q, input, weights, bias, expected);
  uint8_t *groups = packed_groups(weights, rows, cols, m);
  spk_fully_connected_s8_groups__armv7em(batch, rows, cols, m, &q, input, groups, folded, got);
  EXPECT(memcmp(expected, got, (size_t)(batch * rows)) == 0, "case %d", number);
  free(groups);
  free(folded);
  free(bias);
  free(got);
  free(expected);
  free(input);
  free(weights);
}

// Groups of whole taps, and such that go on in the next tap.
static void convolution(int number) {
  const int32_t m = spk_random_int(0, 1) ? 4 : 8;
  const int32_t in_c = spk_random_int(0, 3) ? m * spk_random_int(1, 9) : spk_random_int(1, 80);
  const spk_window2d w = wide_window(in_c, spk_random_int(1, 9));
  int8_t *weights = random_groups(w.out_c, w.kernel_h * w.kernel_w * in_c, m);
  const conv_case c =
      make_conv_case(w, common_requant(w.out_c), weights, spk_conv2d_s8_dense__ref);
  uint8_t *groups = packed_groups(weights, w.out_c, c.cols, m);
  EXPECT_CONV(c, number, spk_conv2d_s8_groups__c, spk_conv2d_s8_groups__c_scratch(&w, m), &w, m,
              &c.r.q, c.input, groups, c.bias);
  EXPECT_CONV(c, number, spk_conv2d_s8_groups__armv7em,
              spk_conv2d_s8_groups__armv7em_scratch(&w, m), &w, m, &c.r.q, c.input, groups,
              c.bias);
  free(groups);
  release_conv_case(c);
}

int main(void) {
  refused();
  for (int i = 0; i < 60; ++i) {
    round_trip(spk_random_int(1, 9), spk_random_int(1, 300), i % 2 ? 4 : 8);
    kernel(i);
    convolution(i);
  }
  return spk_test_result();
}
