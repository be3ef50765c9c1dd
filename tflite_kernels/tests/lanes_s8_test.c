// lanes_s8: what goes in comes out, no blob makes check() or unpack() read outside, and the
// kernels give the bytes of the reference. Under QEMU the assembly itself is tested.
#include "spk/lanes_s8.h"

#include <string.h>

#include "spk/eights_s8.h"
#include "spk/kernels_s8.h"
#include "tests/random_s8.h"

enum { kCases = 150 };

// Zeros come in blocks, or where `block` is 1 one by one.
static int8_t *random_lanes(int32_t rows, int32_t cols, int32_t block) {
  const int percent = spk_random_int(0, 99);
  int8_t *dense = random_values((size_t)(rows * cols), 0);
  for (int32_t at = 0; at < rows * cols; at += block) {
    if (spk_random_int(0, 99) < percent) memset(dense + at, 0, (size_t)block);
  }
  if (spk_random_int(0, 3) == 0) memset(dense, 0, (size_t)cols);  // a row without weights
  return dense;
}

static uint8_t *packed_lanes(const int8_t *dense, int32_t rows, int32_t cols, int32_t block,
                             size_t *bytes) {
  *bytes = spk_lanes_s8_pack_size(dense, rows, cols, block);
  uint8_t *blob = spk_test_buffer(*bytes);
  EXPECT(spk_lanes_s8_pack(dense, rows, cols, block, blob, *bytes) == SPK_OK, "pack");
  return blob;
}

static void round_trip(int32_t rows, int32_t cols, int32_t block) {
  const size_t count = (size_t)(rows * cols);
  int8_t *dense = random_lanes(rows, cols, block), *again = spk_test_buffer(count);
  size_t bytes;
  uint8_t *blob = packed_lanes(dense, rows, cols, block, &bytes);
  EXPECT(spk_lanes_s8_pack(dense, rows, cols, block, blob, bytes - 1) == SPK_ERR_SPACE,
         "space");
  EXPECT(spk_lanes_s8_unpack(blob, bytes, rows, cols, block, again) == SPK_OK, "unpack");
  EXPECT(memcmp(dense, again, count) == 0, "%d x %d in %d", (int)rows, (int)cols, (int)block);
  EXPECT(spk_lanes_s8_check(blob, bytes - 1, rows, cols, block) == SPK_ERR_FORMAT, "truncated");
  EXPECT(spk_lanes_s8_check(blob, bytes, rows + 1, cols, block) == SPK_ERR_FORMAT,
         "a row more");
  for (int i = 0; i < 50; ++i) {  // any byte may change: refused, or still such a matrix
    const size_t at = (size_t)spk_random_int(0, (int32_t)bytes - 1);
    const uint8_t before = blob[at];
    blob[at] = (uint8_t)spk_random();
    const spk_status status = spk_lanes_s8_check(blob, bytes, rows, cols, block);
    EXPECT(spk_lanes_s8_unpack(blob, bytes, rows, cols, block, again) == status, "at %zu", at);
    blob[at] = before;
  }
  free(blob);
  free(again);
  free(dense);
}

static void refused(void) {
  const int8_t dense[16] = {1, 2};
  uint8_t blob[64];
  EXPECT(spk_lanes_s8_pack_size(dense, 1, 16, 2) == 0, "blocks of two");
  EXPECT(spk_lanes_s8_pack_size(dense, 1, 15, 4) == 0, "a part of a block");
  EXPECT(spk_lanes_s8_pack_size(dense, 0, 16, 1) == 0, "no rows");
  EXPECT(spk_lanes_s8_check(NULL, 36, 1, 16, 1) == SPK_ERR_ARGUMENT, "null");
  EXPECT(spk_lanes_s8_pack(dense, 1, 16, 1, blob, 36) == SPK_OK, "a group");
  EXPECT(spk_lanes_s8_check(blob, 36, 1, 16, 1) == SPK_OK, "a group");
  EXPECT(spk_lanes_s8_check(blob, 36, 1, 1, 1) == SPK_ERR_FORMAT, "beyond the last column");
  blob[5] = 0;  // the second offset, that of the first
  EXPECT(spk_lanes_s8_check(blob, 36, 1, 16, 1) == SPK_ERR_FORMAT, "one column twice");
  blob[0] = 0;
  EXPECT(spk_lanes_s8_check(blob, 2, 1, 16, 1) == SPK_ERR_FORMAT, "a row without a group");
}

static int32_t *folded(const int32_t *bias, int32_t offset, const int8_t *weights, int32_t rows,
                       int32_t cols) {
  int32_t *sums = spk_test_buffer((size_t)rows * sizeof(int32_t));
  for (int32_t r = 0; r < rows; ++r) {
    uint32_t sum = (uint32_t)bias[r];
    for (int32_t c = 0; c < cols; ++c) sum += (uint32_t)(offset * weights[r * cols + c]);
    sums[r] = (int32_t)sum;
  }
  return sums;
}

static void convolution(int number) {
  const int32_t block = spk_random_int(0, 1) ? 1 : 4;
  const spk_window2d w = random_window(block * spk_random_int(1, block == 4 ? 10 : 40),
                                       spk_random_int(1, spk_random_int(0, 4) ? 9 : 140));
  const int32_t cols = w.kernel_h * w.kernel_w * w.in_c;
  const size_t out = (size_t)(w.batch * w.out_h * w.out_w * w.out_c);
  requant_case r = random_requant(w.out_c);
  if (spk_random_int(0, 1)) r.q.output_offset = -128;
  int8_t *input = random_values((size_t)(w.batch * w.in_h * w.in_w * w.in_c), 0);
  int8_t *weights = random_lanes(w.out_c, cols, block);
  int32_t *bias = folded(r.bias, r.q.input_offset, weights, w.out_c, cols);
  int8_t *expected = spk_test_buffer(out), *got = spk_test_buffer(out);
  size_t bytes;
  uint8_t *lanes = packed_lanes(weights, w.out_c, cols, block, &bytes);
  void *scratch = spk_test_buffer(spk_conv2d_s8_lanes__mve_scratch(&w));
  spk_conv2d_s8_dense__ref(&w, &r.q, input, weights, r.bias, expected);
  (block == 1 ? spk_conv2d_s8_bytes__mve : spk_conv2d_s8_words__mve)(&w, &r.q, input, lanes,
                                                                     bias, got, scratch);
  EXPECT(memcmp(expected, got, out) == 0, "convolution, block %d, case %d", (int)block, number);
  free(scratch);
  if (w.out_c > 1) {
    scratch = spk_test_buffer(spk_conv2d_s8_dense__mve_scratch(&w));
    memset(got, 0, out);
    spk_conv2d_s8_dense__mve(&w, &r.q, input, weights, bias, got, scratch);
    EXPECT(memcmp(expected, got, out) == 0, "convolution, dense, case %d", number);
    free(scratch);
  }
  free(lanes);
  free(got);
  free(expected);
  free(bias);
  free(weights);
  free(input);
  release(r);
}

// Weights (taps, channels) by sixteens of channels.
static int8_t *packed_sixteens(const int8_t *weights, int32_t taps, int32_t channels) {
  const int32_t even = (taps + 1) / 2 * 2, sixteens = (channels + 15) / 16;
  int8_t *to = spk_test_buffer((size_t)(sixteens * even * 16));
  memset(to, 0, (size_t)(sixteens * even * 16));
  for (int32_t s = 0; s < sixteens; ++s) {
    const int32_t last = channels > 16 ? channels - 16 : 0,
                  start = 16 * s < last ? 16 * s : last;
    for (int32_t t = 0; t < taps; ++t) {
      for (int32_t i = 0; i < 16 && start + i < channels; ++i) {
        to[(s * even + t) * 16 + i] = weights[t * channels + start + i];
      }
    }
  }
  return to;
}

static void depthwise(int number) {
  const int32_t channels = spk_random_int(1, 70);
  const spk_window2d w = random_window(channels, channels);
  const int32_t taps = w.kernel_h * w.kernel_w;
  conv_case c = make_conv_case(w, random_requant(channels),
                               random_s8((size_t)(taps * channels), 0, -127, 127),
                               spk_depthwise_conv2d_s8_dense__ref);
  c.bias = c.r.bias;
  if (spk_random_int(0, 3) == 0)
    memset(c.weights, spk_random_int(0, 1) ? 127 : -127, (size_t)(taps * channels));
  spk_depthwise_conv2d_s8_dense__ref(&w, &c.r.q, c.input, c.weights, c.bias, c.expected);
  int8_t *sixteens = packed_sixteens(c.weights, taps, channels);
  int32_t *bias = spk_test_buffer((size_t)channels * sizeof(int32_t));
  for (int32_t i = 0; i < channels; ++i) {
    uint32_t sum = (uint32_t)c.bias[i];
    for (int32_t t = 0; t < taps; ++t) {
      sum += (uint32_t)(c.r.q.input_offset * c.weights[t * channels + i]);
    }
    bias[i] = (int32_t)sum;
  }
  EXPECT_CONV(c, number, spk_depthwise_conv2d_s8_dense__mve,
              spk_depthwise_conv2d_s8_dense__mve_scratch(&w), &w, &c.r.q, c.input, sixteens,
              bias);
  free(bias);
  free(sixteens);
  release_conv_case(c);
}

static uint8_t *dense_eights(const int8_t *weights, int32_t rows, int32_t cols) {
  const int32_t sixteens = (cols + 15) / 16, bytes = SPK_EIGHTS_HEADER + 128 * sixteens;
  uint8_t *blob = spk_test_buffer((size_t)((rows + 7) / 8 * bytes));
  memset(blob, 0, (size_t)((rows + 7) / 8 * bytes));
  for (int32_t first = 0; first < rows; first += 8) {
    uint8_t *const at = blob + first / 8 * bytes;
    at[0] = (uint8_t)sixteens;
    for (int32_t i = 0; i < 8; ++i) {
      const int32_t row = first + i < rows ? first + i : rows - 1;
      at[2 + 2 * i] = (uint8_t)row;
      for (int32_t c = 0; c < cols; ++c) {
        const int32_t place = (c / 16 * 8 + i) * 16 + c % 16;
        at[SPK_EIGHTS_HEADER + place] = (uint8_t)weights[row * cols + c];
      }
    }
  }
  return blob;
}

static void fully_connected(int number) {
  const int32_t block = spk_random_int(0, 1) ? 1 : 4, batch = spk_random_int(1, 3);
  const int32_t rows = spk_random_int(1, 150), cols = block * spk_random_int(1, 700 / block);
  const size_t out = (size_t)(batch * rows);
  requant_case r = random_requant(rows);
  if (spk_random_int(0, 3)) r.q.multiplier_low = r.low;
  r.q.per_tensor = spk_random_int(0, 1);
  int8_t *input = random_values((size_t)(batch * cols), 0);
  int8_t *weights = random_lanes(rows, cols, block);
  int32_t *bias = folded(r.bias, r.q.input_offset, weights, rows, cols);
  int8_t *expected = spk_test_buffer(out), *got = spk_test_buffer(out);
  size_t bytes;
  uint8_t *lanes = packed_lanes(weights, rows, cols, block, &bytes);
  const size_t eights_bytes = spk_eights_s8_pack_size(lanes, rows, block);
  uint8_t *eights = spk_test_buffer(eights_bytes);
  EXPECT(spk_eights_s8_pack(lanes, rows, block, eights, eights_bytes - 1) == SPK_ERR_SPACE,
         "space of eights");
  EXPECT(spk_eights_s8_pack(lanes, rows, block, eights, eights_bytes) == SPK_OK, "eights");
  spk_fully_connected_s8_dense__ref(batch, rows, cols, &r.q, input, weights, r.bias, expected);
  if (spk_random_int(0, 1)) make_round_up(&r, rows, batch, input, weights, cols, expected);
  void *scratch = spk_test_buffer(spk_fully_connected_s8_eights__mve_scratch(rows));
  (block == 1 ? spk_fully_connected_s8_bytes__mve : spk_fully_connected_s8_words__mve)(
      batch, rows, cols, &r.q, input, eights, bias, got, scratch);
  EXPECT(memcmp(expected, got, out) == 0, "fully connected, block %d, case %d", (int)block,
         number);
  free(scratch);
  scratch = spk_test_buffer(spk_fully_connected_s8_dense__mve_scratch(rows, cols));
  uint8_t *dense = dense_eights(weights, rows, cols);
  memset(got, 0, out);
  spk_fully_connected_s8_dense__mve(batch, rows, cols, &r.q, input, dense, bias, got, scratch);
  EXPECT(memcmp(expected, got, out) == 0, "fully connected, dense, case %d", number);
  free(dense);
  free(scratch);
  free(eights);
  free(lanes);
  free(got);
  free(expected);
  free(bias);
  free(weights);
  free(input);
  release(r);
}

int main(void) {
  for (int number = 0; number < kCases; ++number) {
    round_trip(spk_random_int(1, 9), spk_random_int(1, 1500), 1);
    round_trip(spk_random_int(1, 9), 4 * spk_random_int(1, 300), 4);
    convolution(number);
    fully_connected(number);
    depthwise(number);
  }
  refused();
  return spk_test_result();
}
