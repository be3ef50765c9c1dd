// Convolutions from weights kept for vector units against the reference kernel: equal bytes.
//
// Needs nothing but a compiler, so that the vector kernels can be tested in emulation: main
// returns how many cases failed. Compiled for the host, the twins in plain C are tested.
#include "spk/formats.h"
#include "spk/fours_s8.h"
#include "spk/kernels_fours_s8.h"
#include "spk/kernels_s8.h"

enum { kCases = 400, kMost = 1 << 18, kChannels = 300, kGuard = 512, kMark = 0x5a };

static uint32_t state = 1;

static int32_t random_int(int32_t low, int32_t high) {
  state = state * 1664525u + 1013904223u;
  return low + (int32_t)((uint64_t)(state >> 8) * (uint32_t)(high - low + 1) >> 24);
}

static int8_t weights[kMost], padded[kMost], expected[kMost];
static _Alignas(128) int8_t input[kMost], got[kMost];
static _Alignas(16) int8_t rows4[kMost + 16];
static uint32_t blob[kMost];
static _Alignas(16) uint8_t scratch[8 * kMost];
static int32_t bias[kChannels], folded[kChannels], multiplier[kChannels], shift[kChannels];

// Returns 1 if the shape does not fit into the buffers.
static int random_window(spk_window2d *w, int number) {
  *w = (spk_window2d){.batch = random_int(1, 2),
                      .in_h = random_int(1, number % 6 ? 9 : 20),
                      .in_w = random_int(1, number % 3 ? 9 : 40),
                      .in_c = random_int(1, number % 4 ? 20 : 280),
                      .out_c = random_int(1, number % 4 ? 20 : 140),
                      .kernel_h = random_int(1, 4),
                      .kernel_w = random_int(1, 4),
                      .stride_h = random_int(1, 3),
                      .stride_w = random_int(1, 3),
                      .dilation_h = random_int(1, 2),
                      .dilation_w = random_int(1, 2)};
  if (number % 4 == 0) {  // 1x1
    w->kernel_h = w->kernel_w = w->stride_h = w->stride_w = 1;
  }
  if (number % 5 == 4) {  // pixels that fill vectors, or vectors that hold whole pixels
    w->in_c = number % 25 == 24 ? 256 : 16 << random_int(0, 3);
    w->in_h = random_int(4, 20);
    w->in_w = random_int(8, 40);
    w->out_c = random_int(1, 20);
    w->kernel_h = random_int(1, 4);
    w->kernel_w = random_int(1, 5);
    w->stride_h = w->stride_w = 1;
  }
  w->pad_top = random_int(0, w->kernel_h - 1);
  w->pad_left = random_int(0, w->kernel_w - 1);
  w->out_h = random_int(1, 1 + (w->in_h + w->pad_top - 1) / w->stride_h);
  w->out_w = random_int(1, 1 + (w->in_w + w->pad_left - 1) / w->stride_w);
  if (number % 4 == 0 || number % 5 == 4) w->out_h = w->in_h, w->out_w = w->in_w;
  const int32_t columns = 4 * spk_channel_fours(w->in_c) * w->kernel_h * w->kernel_w;
  return (w->out_c + 3) * columns > kMost || w->batch * w->in_h * w->in_w * w->in_c > kMost ||
         spk_conv2d_s8_fours__hvx_scratch(w, w->out_c * (columns + 4)) >
             sizeof scratch - kGuard;
}

static spk_requant random_requant(int32_t channels, int number) {
  for (int32_t c = 0; c < channels; ++c) {
    multiplier[c] = random_int(1 << 30, INT32_MAX - 1);
    shift[c] = number % 10 == 9 ? random_int(-25, 1) : random_int(-20, -5);
    bias[c] = number % 10 == 8 ? random_int(-1000000000, 1000000000) : random_int(-9000, 9000);
  }
  const spk_requant q = {.multiplier = multiplier,
                         .shift = shift,
                         .input_offset = random_int(0, 1) ? 128 : random_int(-127, 128),
                         .output_offset = random_int(-128, 127),
                         .act_min = random_int(0, 1) ? -128 : random_int(-128, 0),
                         .act_max = random_int(0, 1) ? 127 : random_int(0, 127)};
  return q;
}

static void fill(int8_t *values, int32_t count, int32_t percent_zero) {
  const int8_t end = random_int(0, 1) ? 127 : -128;
  const int same = random_int(0, 4) == 0;  // the largest sums there are
  for (int32_t i = 0; i < count; ++i) {
    const int8_t value = same ? end : (int8_t)random_int(-128, 127);
    values[i] = random_int(0, 99) < percent_zero ? 0 : value;
  }
}

// Every tap's channels up to a multiple of four; the same rows four by four; folded biases.
static void prepare(const spk_window2d *w, const spk_requant *q, int32_t columns) {
  const int32_t deep = 4 * spk_channel_fours(w->in_c);
  for (int32_t i = 0; i < (w->out_c + 3) * columns; ++i) rows4[i] = 0;
  for (int32_t c = 0; c < w->out_c; ++c) {
    int32_t sum = 0;
    for (int32_t k = 0; k < columns; ++k) {
      const int32_t tap = k / deep, from = k % deep;
      const int32_t taps = w->kernel_h * w->kernel_w;
      const int8_t value =
          from < w->in_c ? weights[(c * taps + tap) * w->in_c + from] : (int8_t)0;
      padded[c * columns + k] = value;
      rows4[c / 4 * 4 * columns + k / 4 * 16 + c % 4 * 4 + k % 4] = value;
      sum += value;
    }
    folded[c] = bias[c] + (q->input_offset - 128) * sum;
  }
}

static int differs(int32_t count) {
  int different = 0;
  for (int32_t i = 0; i < count; ++i) {
    different |= got[i] != expected[i];
    got[i] = 0;
  }
  return different;
}

// The scratch that a kernel asks for, with marks behind its end.
static uint8_t *guarded(const spk_window2d *w, int32_t indices) {
  uint8_t *const end = scratch + spk_conv2d_s8_fours__hvx_scratch(w, indices);
  for (int32_t i = 0; i < kGuard; ++i) end[i] = kMark;
  return end;
}

static int overrun(const uint8_t *end) {
  int written = 0;
  for (int32_t i = 0; i < kGuard; ++i) written |= end[i] != kMark;
  return written;
}

typedef void (*convolution)(const spk_window2d *w, const spk_requant *q, const int8_t *input,
                            const uint32_t *weights, const int32_t *bias, int8_t *output,
                            void *scratch);

static int packed(const spk_window2d *w, const spk_requant *q, int32_t columns, int32_t spread,
                  convolution kernel, int32_t outputs) {
  const size_t bytes = spk_fours_s8_pack_size(padded, w->out_c, columns, spread);
  if (bytes > sizeof blob) return 1;
  int failed = spk_fours_s8_pack(padded, w->out_c, columns, spread, blob, bytes) != SPK_OK;
  const uint8_t *const end = guarded(w, (int32_t)blob[0] * (spread ? 4 : 1));
  kernel(w, q, input, blob, folded, got, scratch);
  return failed | differs(outputs) | overrun(end);
}

static int one_case(int number) {
  spk_window2d w;
  if (random_window(&w, number)) return 0;
  const int32_t columns = 4 * spk_channel_fours(w.in_c) * w.kernel_h * w.kernel_w;
  const int32_t outputs = w.batch * w.out_h * w.out_w * w.out_c;
  const spk_requant q = random_requant(w.out_c, number);
  fill(input, w.batch * w.in_h * w.in_w * w.in_c, 0);
  fill(weights, w.out_c * w.kernel_h * w.kernel_w * w.in_c, random_int(0, 100));
  spk_conv2d_s8_dense__ref(&w, &q, input, weights, bias, expected);
  prepare(&w, &q, columns);
  const uint8_t *const end = guarded(&w, 0);
  spk_conv2d_s8_rows4__hvx(&w, &q, input, (const uint32_t *)(const void *)rows4, folded, got,
                           scratch);
  int failed = differs(outputs) | overrun(end);
  failed |= 2 * packed(&w, &q, columns, 0, spk_conv2d_s8_blocks__hvx, outputs);
  failed |= 4 * packed(&w, &q, columns, 1, spk_conv2d_s8_fours__hvx, outputs);
  return failed;
}

int main(void) {
  int failed = 0;
  for (int number = 0; number < kCases; ++number) failed += one_case(number) != 0;
  return failed < 100 ? failed : 100;
}
