// Convolutions between gates against CONV_2D and MUL over all channels: equal bytes.
#include "spk/gated_s8.h"

#include <string.h>

#include "spk/kernels_s8.h"
#include "tests/random_s8.h"

enum { kCases = 300 };

// A gate with at most `most` values that are not `zero`.
static int8_t *random_gate(int32_t channels, int32_t most, int8_t zero) {
  int8_t *gate = spk_test_buffer((size_t)channels);
  memset(gate, zero, (size_t)channels);
  for (int32_t left = spk_random_int(0, most); left > 0; --left) {
    gate[spk_random_int(0, channels - 1)] = (int8_t)spk_random_int(-128, 127);
  }
  return gate;
}

// Channels whose gate is zero hold the zero point of the input.
static void close_channels(const spk_window2d *w, const int8_t *gate, int32_t zero,
                           int32_t zero_point, int8_t *input) {
  for (int32_t i = 0; i < w->in_h * w->in_w * w->in_c; ++i) {
    if (gate[i % w->in_c] == zero) input[i] = (int8_t)zero_point;
  }
}

static spk_mul random_mul(const spk_window2d *w, const spk_requant *q) {
  const spk_mul mul = {.size = w->out_h * w->out_w * w->out_c,
                       .period = w->out_c,
                       .a_offset = -q->output_offset,
                       .b_offset = spk_random_int(-127, 128),
                       .output_offset = spk_random_int(-128, 127),
                       .multiplier = spk_random_int(1 << 30, INT32_MAX - 1),
                       .shift = spk_random_int(-12, -3),
                       .act_min = spk_random_int(0, 1) ? -128 : spk_random_int(-128, 0),
                       .act_max = spk_random_int(0, 1) ? 127 : spk_random_int(0, 127)};
  return mul;
}

static void compare(int number) {
  spk_window2d w = random_window(spk_random_int(1, 40), spk_random_int(1, 12));
  w.batch = 1;
  const int gated_in = w.in_c > 1 && spk_random_int(0, 2) > 0;
  const int gated_out = w.out_c > 1 && (!gated_in || spk_random_int(0, 1));
  const int32_t cols = w.kernel_h * w.kernel_w * w.in_c;
  const size_t in = (size_t)(w.in_h * w.in_w * w.in_c),
               out = (size_t)(w.out_h * w.out_w * w.out_c);
  requant_case r = random_requant(w.out_c);
  const spk_mul mul = random_mul(&w, &r.q);
  spk_gated g = {.window = &w,
                 .requant = &r.q,
                 .mul = gated_out ? &mul : NULL,
                 .in_zero = spk_random_int(-128, 127),
                 .most_in = gated_in ? spk_random_int(1, w.in_c - 1) : w.in_c,
                 .most_out = gated_out ? spk_random_int(1, w.out_c - 1) : w.out_c,
                 .kernel_scratch = (int32_t)spk_conv2d_s8_dense__c_scratch(&w)};
  int8_t *in_gate = random_gate(w.in_c, g.most_in, (int8_t)g.in_zero);
  int8_t *out_gate = random_gate(w.out_c, g.most_out, (int8_t)-mul.b_offset);
  int8_t *input = random_values(in, 0), *weights = random_weights((size_t)(w.out_c * cols));
  if (gated_in) close_channels(&w, in_gate, g.in_zero, -r.q.input_offset, input);
  const int32_t *bias = spk_random_int(0, 4) ? r.bias : NULL;
  int8_t *expected = spk_test_buffer(out), *got = spk_test_buffer(out);
  spk_conv2d_s8_dense__ref(&w, &r.q, input, weights, bias, expected);
  if (gated_out) spk_mul_s8__ref(&mul, expected, out_gate, expected);

  g.weight_bytes = (g.most_out * w.kernel_h * w.kernel_w * g.most_in + 3) / 4 * 4;
  void *scratch = spk_test_buffer(spk_conv2d_s8_gated__c_scratch(&g));
  spk_conv2d_s8_gated_dense__c(&g, spk_conv2d_s8_dense__c, input, gated_in ? in_gate : NULL,
                               weights, bias, gated_out ? out_gate : NULL, got, scratch);
  EXPECT(memcmp(expected, got, out) == 0, "dense, case %d", number);
  free(scratch);

  uint8_t *stream = packed(weights, w.out_c, cols);
  g.weight_bytes = ((int32_t)spk_stream_s8_pack_size(weights, w.out_c, cols) + 3) / 4 * 4;
  scratch = spk_test_buffer(spk_conv2d_s8_gated__c_scratch(&g));
  spk_conv2d_s8_gated_stream__c(&g, spk_conv2d_s8_stream__c, input, gated_in ? in_gate : NULL,
                                stream, bias, gated_out ? out_gate : NULL, got, scratch);
  EXPECT(memcmp(expected, got, out) == 0, "stream, case %d", number);
  free(scratch);
  free(stream);
  free(expected);
  free(got);
  free(weights);
  free(input);
  free(in_gate);
  free(out_gate);
  release(r);
}

int main(void) {
  for (int number = 0; number < kCases; ++number) compare(number);
  return spk_test_result();
}
