// The int8 operators with a state against their reference kernels: equal bytes, call by call.
#include "spk/recurrent_s8.h"

#include <math.h>
#include <string.h>

#include "spk/fixed_point_s16.h"
#include "spk/formats.h"
#include "test.h"

enum { kCases = 120, kCalls = 3 };

static void *random_bytes(size_t count, int percent_zero) {
  int8_t *values = spk_test_buffer(count);
  for (size_t i = 0; i < count; ++i) {
    values[i] = spk_random_int(0, 99) < percent_zero ? 0 : (int8_t)spk_random_int(-128, 127);
  }
  return values;
}

static int32_t *random_words(size_t count, int32_t reach) {
  int32_t *values = spk_test_buffer(count * sizeof *values);
  for (size_t i = 0; i < count; ++i) values[i] = spk_random_int(-reach, reach);
  return values;
}

static void *packed(const int8_t *weights, int32_t rows, int32_t cols) {
  const size_t bytes = spk_stream_s8_pack_size(weights, rows, cols);
  void *stream = spk_test_buffer(bytes);
  EXPECT(spk_stream_s8_pack(weights, rows, cols, stream, bytes) == SPK_OK, "pack");
  return stream;
}

// A table would hold 65536 values: every one of them is looked at.
static void activations(void) {
  for (int32_t x = INT16_MIN; x <= INT16_MAX; ++x) {
    const double sigmoid = 1 / (1 + exp(-x / 4096.0));
    EXPECT(fabs(spk_sigmoid_s16(x) / 32768.0 - sigmoid) < 4e-4, "sigmoid of %d", x);
    for (int32_t bits = 0; bits <= 6; ++bits) {
      const double tangent = tanh(ldexp(x, bits - 15));
      EXPECT(fabs(spk_tanh_s16(x, bits) / 32768.0 - tangent) < 8e-4, "tanh of %d", x);
    }
  }
}

static spk_lstm_side random_side(int32_t rows, int32_t cols) {
  spk_lstm_side side = {.weights = random_bytes((size_t)(rows * cols), spk_random_int(0, 99)),
                        .bias = random_words((size_t)rows, 20000)};
  for (int gate = 0; gate < 4; ++gate) {
    side.multiplier[gate] = spk_random_int(1 << 30, INT32_MAX - 1);
    side.shift[gate] = spk_random_int(-6, 1);
  }
  return side;
}

static void release(const spk_lstm_side *side) {
  free((void *)(uintptr_t)side->weights);
  free((void *)(uintptr_t)side->bias);
}

static void lstm(int number) {
  spk_lstm p = {.batch = spk_random_int(1, 2),
                .time = spk_random_int(1, 4),
                .inputs = spk_random_int(1, 300),
                .units = spk_random_int(1, 21),
                .time_major = spk_random_int(0, 1),
                .cell_bits = spk_random_int(0, 6),
                .cell_clip = spk_random_int(0, 1) * 20480,
                .hidden_multiplier = spk_random_int(1 << 30, INT32_MAX - 1),
                .hidden_shift = spk_random_int(-24, -20),
                .hidden_zero_point = spk_random_int(-128, 127)};
  const int32_t rows = 4 * p.units, steps = p.batch * p.time;
  const spk_lstm_side dense[2] = {random_side(rows, p.inputs), random_side(rows, p.units)};
  spk_lstm_side fast[2] = {dense[0], dense[1]};
  for (int side = 0; side < 2; ++side) {
    if (spk_random_int(0, 1)) {
      fast[side].add_rows = spk_add_rows_s8_stream__c;
      fast[side].weights = packed(dense[side].weights, rows, side ? p.units : p.inputs);
    } else {
      fast[side].add_rows = spk_add_rows_s8_dense__c;
    }
  }
  const size_t states = (size_t)(p.batch * p.units), out = (size_t)(steps * p.units);
  int8_t *hidden[2], *output[2];
  int16_t *cell[2];
  for (int i = 0; i < 2; ++i) {
    hidden[i] = spk_test_buffer(states);
    memset(hidden[i], p.hidden_zero_point, states);
    cell[i] = spk_test_buffer(states * sizeof(int16_t));
    memset(cell[i], 0, states * sizeof(int16_t));
    output[i] = spk_test_buffer(out);
  }
  for (int call = 0; call < kCalls; ++call) {
    int8_t *input = random_bytes((size_t)(steps * p.inputs), 0);
    p.input = &dense[0];
    p.recurrent = &dense[1];
    void *scratch = spk_test_buffer(spk_lstm_s8_dense__ref_scratch(&p));
    spk_lstm_s8_dense__ref(&p, input, hidden[0], cell[0], output[0], scratch);
    free(scratch);
    p.input = &fast[0];
    p.recurrent = &fast[1];
    scratch = spk_test_buffer(spk_lstm_s8__c_scratch(&p));
    spk_lstm_s8__c(&p, input, hidden[1], cell[1], output[1], scratch);
    free(scratch);
    free(input);
    EXPECT(memcmp(output[0], output[1], out) == 0, "output, case %d", number);
    EXPECT(memcmp(hidden[0], hidden[1], states) == 0, "hidden state, case %d", number);
    EXPECT(memcmp(cell[0], cell[1], 2 * states) == 0, "cell state, case %d", number);
  }
  for (int i = 0; i < 2; ++i) {
    free(hidden[i]);
    free(cell[i]);
    free(output[i]);
    if (fast[i].weights != dense[i].weights) free((void *)(uintptr_t)fast[i].weights);
    release(&dense[i]);
  }
}

static void svdf(int number) {
  spk_svdf p = {.batch = spk_random_int(1, 2),
                .inputs = spk_random_int(1, 300),
                .units = spk_random_int(1, 9),
                .rank = spk_random_int(1, 3),
                .memory = spk_random_int(1, 10),
                .input_offset = spk_random_int(-127, 128),
                .feature_multiplier = spk_random_int(1 << 30, INT32_MAX - 1),
                .feature_shift = spk_random_int(-8, 1),
                .output_multiplier = spk_random_int(1 << 30, INT32_MAX - 1),
                .output_shift = spk_random_int(-24, -10),
                .output_zero_point = spk_random_int(-128, 127)};
  const int32_t filters = p.rank * p.units;
  const int stream = spk_random_int(0, 1);
  int8_t *features = random_bytes((size_t)(filters * p.inputs), spk_random_int(0, 99));
  int16_t *times = random_bytes((size_t)(filters * p.memory) * sizeof(int16_t), 0);
  int32_t *bias = random_words((size_t)p.units, 1 << 28);
  void *fast = stream ? packed(features, filters, p.inputs) : features;
  p.time_weights = times;
  if (spk_random_int(0, 2) > 0) p.bias = bias;
  const size_t states = (size_t)(p.batch * filters * p.memory) * sizeof(int16_t);
  const size_t out = (size_t)(p.batch * p.units);
  int16_t *state[2];
  int8_t *output[2];
  for (int i = 0; i < 2; ++i) {
    state[i] = spk_test_buffer(states);
    memset(state[i], 0, states);
    output[i] = spk_test_buffer(out);
  }
  void *scratch = spk_test_buffer(spk_svdf_s8__c_scratch(&p));
  for (int call = 0; call < kCalls; ++call) {
    int8_t *input = random_bytes((size_t)(p.batch * p.inputs), 0);
    p.feature_weights = features;
    spk_svdf_s8_dense__ref(&p, input, state[0], output[0]);
    p.feature_weights = fast;
    p.add_rows = stream ? spk_add_rows_s8_stream__c : spk_add_rows_s8_dense__c;
    spk_svdf_s8__c(&p, input, state[1], output[1], scratch);
    free(input);
    EXPECT(memcmp(output[0], output[1], out) == 0, "output, case %d", number);
    EXPECT(memcmp(state[0], state[1], states) == 0, "state, case %d", number);
  }
  for (int i = 0; i < 2; ++i) {
    free(state[i]);
    free(output[i]);
  }
  free(scratch);
  if (stream) free(fast);
  free(bias);
  free(times);
  free(features);
}

int main(void) {
  activations();
  for (int number = 0; number < kCases; ++number) {
    lstm(number);
    svdf(number);
  }
  return spk_test_result();
}
