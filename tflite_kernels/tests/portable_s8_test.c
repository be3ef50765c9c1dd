// The portable int8 kernels against the reference kernels, over random shapes: equal bytes.
#include <string.h>

#include "spk/kernels_s8.h"
#include "tests/random_s8.h"

enum { kCases = 250 };

static void convolution(int number) {
  const spk_window2d w = random_window(spk_random_int(1, 40), spk_random_int(1, 9));
  const conv_case c = random_convolution(w, random_requant(w.out_c));
  EXPECT_CONV(c, number, spk_conv2d_s8_dense__c, spk_conv2d_s8_dense__c_scratch(&w), &w, &c.r.q,
              c.input, c.weights, c.bias);
  uint8_t *stream = packed(c.weights, w.out_c, c.cols);
  EXPECT_CONV(c, number, spk_conv2d_s8_stream__c, spk_conv2d_s8_stream__c_scratch(&w), &w,
              &c.r.q, c.input, stream, c.bias);
  free(stream);
  release_conv_case(c);
}

static void depthwise(int number) {
  const int32_t depth = spk_random_int(1, 9);
  const spk_window2d w = random_window(depth, depth * spk_random_int(1, 3));
  const conv_case c = random_depthwise(w, random_requant(w.out_c));
  EXPECT_CONV(c, number, spk_depthwise_conv2d_s8_dense__c,
              spk_depthwise_conv2d_s8_dense__c_scratch(&w), &w, &c.r.q, c.input, c.weights,
              c.bias);
  release_conv_case(c);
}

// bias + offset * sum w, as exporters make it for kernels that read int8 inputs.
static int32_t *folded_bias(const int32_t *bias, int32_t offset, const int8_t *weights,
                            int32_t rows, int32_t cols) {
  int32_t *folded = spk_test_buffer((size_t)rows * sizeof(int32_t));
  for (int32_t r = 0; r < rows; ++r) {
    uint32_t sum = bias != NULL ? (uint32_t)bias[r] : 0;
    for (int32_t c = 0; c < cols; ++c) sum += (uint32_t)(offset * weights[r * cols + c]);
    folded[r] = (int32_t)sum;
  }
  return folded;
}

typedef struct layer_case {
  int32_t batch, rows, cols;
  const spk_requant *q;
  const int8_t *input, *weights, *expected;
  const int32_t *bias;
} layer_case;

// The kernels of single processor families, which are plain C on this machine.
static void fully_connected_of_arm(const layer_case *l, int number) {
  const int32_t batch = l->batch, rows = l->rows, cols = l->cols;
  const size_t out = (size_t)(batch * rows);
  int8_t *got = spk_test_buffer(out);
  void *scratch = spk_test_buffer(spk_fully_connected_s8_dense__armv7em_scratch(cols));
  spk_fully_connected_s8_dense__armv7em(batch, rows, cols, l->q, l->input, l->weights, l->bias,
                                        got, scratch);
  expect_same(l->expected, got, out, number, "spk_fully_connected_s8_dense__armv7em");
  int32_t *bias = folded_bias(l->bias, l->q->input_offset, l->weights, rows, cols);
  if (!l->q->round_up) {
    uint8_t *pairs = packed(l->weights, rows, cols);
    spk_fully_connected_s8_stream__armv6m(batch, rows, cols, l->q, l->input, pairs, bias, got);
    expect_same(l->expected, got, out, number, "spk_fully_connected_s8_stream__armv6m");
    free(pairs);
  }
  size_t bytes = spk_stream_s8_pack_odd_size(l->weights, rows, cols);
  if (bytes != 0) {
    uint8_t *stream = spk_test_buffer(bytes);
    spk_stream_s8_pack_odd(l->weights, rows, cols, stream, bytes);
    spk_fully_connected_s8_stream__armv7em(batch, rows, cols, l->q, l->input, stream, bias,
                                           got);
    expect_same(l->expected, got, out, number, "spk_fully_connected_s8_stream__armv7em");
    free(stream);
  }
  bytes = spk_blocks_s8_pack_size(l->weights, rows, cols);
  uint8_t *blocks = spk_test_buffer(bytes);
  spk_blocks_s8_pack(l->weights, rows, cols, blocks, bytes);
  spk_fully_connected_s8_blocks__armv7em(batch, rows, cols, l->q, l->input, blocks, bias, got,
                                         scratch);
  expect_same(l->expected, got, out, number, "spk_fully_connected_s8_blocks__armv7em");
  free(blocks);
  free(scratch);
  bytes = spk_twins_s8_pack_size(l->weights, rows, cols);
  uint8_t *twins = spk_test_buffer(bytes);
  spk_twins_s8_pack(l->weights, rows, cols, twins, bytes);
  scratch = spk_test_buffer(spk_fully_connected_s8_twins__armv7em_scratch(cols));
  spk_fully_connected_s8_twins__armv7em(batch, rows, cols, l->q, l->input, twins, bias, got,
                                        scratch);
  expect_same(l->expected, got, out, number, "spk_fully_connected_s8_twins__armv7em");
  free(twins);
  free(bias);
  free(scratch);
  free(got);
}

static void fully_connected(int number) {
  const int32_t batch = spk_random_int(0, 1) ? 1 : spk_random_int(2, 19);
  const int32_t rows = spk_random_int(1, 12), cols = spk_random_int(1, 700);
  const size_t out = (size_t)(batch * rows);
  requant_case r = random_requant(rows);
  if (spk_random_int(0, 1)) r.q.multiplier_low = r.low;
  r.q.per_tensor = spk_random_int(0, 1);
  const int32_t *bias = spk_random_int(0, 4) ? r.bias : NULL;
  int8_t *input = random_values((size_t)(batch * cols), spk_random_int(0, 1) ? 0 : 70);
  if (spk_random_int(0, 1)) r.q.input_offset = 0;  // then zeros are dead
  int8_t *weights = random_weights((size_t)(rows * cols));
  int8_t *expected = spk_test_buffer(out), *got = spk_test_buffer(out);
  spk_fully_connected_s8_dense__ref(batch, rows, cols, &r.q, input, weights, bias, expected);
  spk_fully_connected_s8_dense__c(batch, rows, cols, &r.q, input, weights, bias, got);
  expect_same(expected, got, out, number, "spk_fully_connected_s8_dense__c");
  uint8_t *stream = packed(weights, rows, cols);
  void *scratch = spk_test_buffer(spk_fully_connected_s8_stream__c_scratch(batch, rows, cols));
  spk_fully_connected_s8_stream__c(batch, rows, cols, &r.q, input, stream, bias, got, scratch);
  expect_same(expected, got, out, number, "spk_fully_connected_s8_stream__c");
  free(scratch);
  free(stream);
  int8_t *transposed = spk_test_buffer((size_t)(rows * cols));
  for (int32_t i = 0; i < rows * cols; ++i) {
    transposed[i % cols * rows + i / cols] = weights[i];
  }
  stream = packed(transposed, cols, rows);
  scratch = spk_test_buffer(spk_fully_connected_s8_columns__c_scratch(rows));
  spk_fully_connected_s8_columns__c(batch, rows, cols, &r.q, input, stream, bias, got, scratch);
  expect_same(expected, got, out, number, "spk_fully_connected_s8_columns__c");
  free(scratch);
  free(stream);
  free(transposed);
  const layer_case l = {batch, rows, cols, &r.q, input, weights, expected, bias};
  fully_connected_of_arm(&l, number);
  free(got);
  free(expected);
  free(weights);
  free(input);
  release(r);
}

// One right shift for the layer, and one multiplier or one for each row.
static void rounded_up(int number) {
  const int32_t batch = spk_random_int(1, 2), rows = spk_random_int(1, 150);
  const int32_t cols = spk_random_int(1, 200);
  const size_t out = (size_t)(batch * rows);
  requant_case r = random_requant(rows);
  const int32_t shift = -spk_random_int(1, spk_random_int(0, 1) ? 31 : 10);
  const int per_tensor = spk_random_int(0, 1);
  for (int32_t c = 0; c < rows; ++c) {
    r.shift[c] = shift;
    r.multiplier[c] = per_tensor ? r.multiplier[0] : spk_random_int(1, INT32_MAX);
  }
  if (spk_random_int(0, 1)) r.q.act_min = -128, r.q.act_max = 127;
  int8_t *input = random_values((size_t)(batch * cols), 0);
  int8_t *weights = random_weights((size_t)(rows * cols)), *expected = spk_test_buffer(out);
  make_round_up(&r, rows, batch, input, weights, cols, expected);
  for (int32_t c = 1; c < rows; ++c) r.shift[c] = 0;  // not read
  r.q.per_tensor = per_tensor;
  const layer_case l = {batch, rows, cols, &r.q, input, weights, expected, r.bias};
  fully_connected_of_arm(&l, number);
  free(expected);
  free(weights);
  free(input);
  release(r);
}

// What a winner is: more than the (count + 1)-th largest level of the group's candidates.
static int is_winner(const spk_winners *p, const int8_t *input, int32_t at) {
  const int32_t period = p->groups * p->run, group = at % period / p->run;
  const int32_t all = p->places != NULL ? p->candidates : p->outer * p->run;
  int32_t below = 0;  // candidates of a smaller level
  for (int32_t i = 0; i < all; ++i) {
    const int32_t place = p->places != NULL ? p->places[i] : i / p->run * period + i % p->run;
    const int8_t other = input[place + group * p->run];
    below += p->levels != NULL ? p->levels[other + 128] < p->levels[input[at] + 128]
                               : other < input[at];
  }
  return below >= all - p->count;
}

static void winners(int number) {
  spk_winners p = {.outer = spk_random_int(1, 9),
                   .groups = spk_random_int(1, 4),
                   .run = spk_random_int(1, 19),
                   .zero_point = spk_random_int(0, 1) ? -128 : spk_random_int(-128, 127)};
  const int32_t of_group = p.outer * p.run, period = p.groups * p.run;
  const int32_t size = p.outer * period;
  int32_t *places = spk_test_buffer((size_t)of_group * sizeof(int32_t));
  for (int32_t i = 0; i < of_group; i += spk_random_int(1, 3)) {
    places[p.candidates++] = i / p.run * period + i % p.run;
  }
  if (spk_random_int(0, 1)) p.places = places;
  p.count = spk_random_int(0, (p.places != NULL ? p.candidates : of_group) - 1);
  uint8_t levels[256];
  for (int32_t v = 0; v < 256; ++v) {
    levels[v] = (uint8_t)(v - 128 < p.zero_point ? p.zero_point - v + 128 : v - p.zero_point);
  }
  if (spk_random_int(0, 1)) p.levels = levels;
  if (p.levels && p.zero_point == -128) {
    for (int32_t v = 0; v < 256; ++v)
      levels[v] = (uint8_t)(v / 3);  // several values, one level
    p.is_rising = spk_random_int(0, 1);
  }
  const int few = spk_random_int(0, 1) ? 3 : 127;  // ties
  int8_t *input = random_s8((size_t)size, 30, -few, few), *got = spk_test_buffer((size_t)size);
  void *scratch = spk_test_buffer(SPK_WINNERS_S8_SCRATCH);
  spk_winner_take_all_s8__c(&p, input, got, scratch);
  for (int32_t i = 0; i < size; ++i) {
    const int32_t expected = is_winner(&p, input, i) ? input[i] : p.zero_point;
    EXPECT(got[i] == expected, "spk_winner_take_all_s8__c, case %d, value %d", number, i);
  }
  free(scratch);
  free(got);
  free(input);
  free(places);
}

int main(void) {
  for (int number = 0; number < kCases; ++number) {
    convolution(number);
    depthwise(number);
    fully_connected(number);
    rounded_up(number);
    winners(number);
  }
  return spk_test_result();
}
