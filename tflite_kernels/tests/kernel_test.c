// Every kernel of the table against its reference: int8 to the bit, float32 to 1e-5 of |x|.|w|.
//
//   kernel_test [percent]               of the random layers, and no large ones below 100
#include <math.h>
#include <string.h>

#include "spk/kernel_table.h"
#include "tests/test.h"

static int percent = 100;

typedef struct layer_case {
  spk_layer layer;
  void *input, *weights, *bias, *output, *expected;
  int32_t *multiplier, *shift;
  uint32_t *low;
  size_t inputs, outputs, size;  // elements; size: of the weights
} layer_case;

static const spk_kernel *reference_of(spk_op op, spk_dtype dtype) {
  int32_t count;
  const spk_kernel *kernels = spk_kernel_table(&count);
  for (int32_t i = 0; i < count; ++i)
    if (kernels[i].op == op && kernels[i].dtype == dtype && strstr(kernels[i].name, "__ref"))
      return &kernels[i];
  abort();
}

// Runs a kernel on exactly sized buffers, its units in `parts` calls.
static int run_kernel(const spk_kernel *kernel, const layer_case *c, void *output,
                      int32_t parts) {
  const size_t bytes = kernel->pack_size(&c->layer, c->weights);
  if (bytes == 0) return 0;
  const size_t scratch_bytes = kernel->scratch(&c->layer);
  void *packed = aligned_alloc(64, (bytes + 63) / 64 * 64), *scratch_base;
  void *scratch = spk_test_aligned(scratch_bytes, &scratch_base);
  memset(scratch, 0xa5, scratch_bytes);
  EXPECT(kernel->pack(&c->layer, c->weights, packed, bytes - 1) != SPK_OK, "%s packs short",
         kernel->name);
  EXPECT(kernel->pack(&c->layer, c->weights, packed, bytes) == SPK_OK, "%s", kernel->name);
  const int32_t units = kernel->units(&c->layer);
  for (int32_t part = 0; part < parts; ++part) {
    const spk_args args = {.layer = &c->layer,
                           .packed = packed,
                           .input = c->input,
                           .output = output,
                           .scratch = scratch,
                           .begin = (int32_t)((int64_t)units * part / parts),
                           .end = (int32_t)((int64_t)units * (part + 1) / parts)};
    if (args.begin < args.end) kernel->run(&args);
  }
  free(packed);
  free(scratch_base);
  return 1;
}

static int is_below(double share) { return spk_random() < share * 4294967295.0; }

static void fill_weights(layer_case *c, double density, int blocks) {
  int keep = 0;
  for (size_t i = 0; i < c->size; ++i) {
    if (!blocks || i % 4 == 0) keep = is_below(density);
    if (c->layer.dtype == SPK_F32)
      ((float *)c->weights)[i] = keep ? spk_random_float() : 0.0f;
    else
      ((int8_t *)c->weights)[i] = (int8_t)(keep ? spk_random_int(-127, 127) : 0);
  }
}

static void fill_quantization(layer_case *c) {
  spk_requant *q = &c->layer.requant;
  const int32_t channels = c->layer.window.out_c;
  q->multiplier = c->multiplier = spk_test_buffer((size_t)channels * 4);
  q->shift = c->shift = spk_test_buffer((size_t)channels * 4);
  c->low = spk_test_buffer((size_t)channels * 4);
  q->multiplier_low = spk_random_int(0, 1) ? c->low : NULL;
  const int32_t typical = spk_random_int(-14, -6);
  for (int32_t o = 0; o < channels; ++o) {
    c->multiplier[o] = spk_random_int(1 << 30, INT32_MAX);
    c->low[o] = spk_random();
    c->shift[o] = typical + spk_random_int(-2, 2);
    if (spk_random_int(0, 19) == 0) c->shift[o] = spk_random_int(-31, 9);
    if (spk_random_int(0, 49) == 0) c->multiplier[o] = c->shift[o] = 0;
  }
  q->input_offset = spk_random_int(-127, 128);
  q->output_offset = spk_random_int(-128, 127);
  q->act_min = -128;
  q->act_max = 127;
  if (spk_random_int(0, 1)) q->act_min = q->output_offset;                      // RELU
  if (spk_random_int(0, 2) == 0) q->act_max = spk_random_int(q->act_min, 127);  // RELU6
}

static layer_case make_case(spk_op op, spk_dtype dtype, const spk_window2d *w) {
  layer_case c = {.layer = {.op = op, .dtype = dtype, .window = *w}};
  c.layer.threads = spk_random_int(0, 3);
  const size_t element = dtype == SPK_F32 ? 4 : 1;
  c.inputs = (size_t)w->batch * w->in_h * w->in_w * w->in_c;
  c.outputs = (size_t)w->batch * w->out_h * w->out_w * w->out_c;
  c.size = (size_t)w->out_c * spk_layer_cols(&c.layer);
  c.input = spk_test_buffer(c.inputs * element);
  c.weights = spk_test_buffer(c.size * element);
  c.output = spk_test_buffer(c.outputs * element);
  c.expected = spk_test_buffer(c.outputs * element);
  c.bias = spk_random_int(0, 4) ? spk_test_buffer((size_t)w->out_c * 4) : NULL;
  c.layer.bias = c.bias;
  for (size_t i = 0; i < c.inputs; ++i) {
    if (dtype == SPK_F32)
      ((float *)c.input)[i] = spk_random_float();
    else
      ((int8_t *)c.input)[i] = (int8_t)spk_random_int(-128, 127);
  }
  for (int32_t o = 0; c.bias && o < w->out_c; ++o) {
    if (dtype == SPK_F32)
      ((float *)c.bias)[o] = spk_random_float();
    else
      ((int32_t *)c.bias)[o] = spk_random_int(-20000, 20000);
  }
  if (dtype == SPK_S8) {
    fill_quantization(&c);
  } else {
    const int activation = spk_random_int(0, 2);
    c.layer.act_min = activation ? 0.0f : -INFINITY;
    c.layer.act_max = activation == 2 ? 1.0f : INFINITY;
  }
  return c;
}

static void free_case(layer_case *c) {
  void *buffers[] = {c->input,    c->weights,    c->bias,  c->output,
                     c->expected, c->multiplier, c->shift, c->low};
  for (size_t i = 0; i < sizeof(buffers) / sizeof(buffers[0]); ++i) free(buffers[i]);
}

// The largest allowed difference: 1e-5 of the sum of magnitudes, at most cols terms below 1.
static double tolerance(const layer_case *c) {
  return 1e-5 * sqrt((double)spk_layer_cols(&c->layer) + 1);
}

static void compare(const spk_kernel *kernel, const layer_case *c) {
  const spk_window2d *w = &c->layer.window;
  for (size_t i = 0; i < c->outputs; ++i) {
    double got, expected;
    if (c->layer.dtype == SPK_F32) {
      got = ((float *)c->output)[i];
      expected = ((float *)c->expected)[i];
    } else {
      got = ((int8_t *)c->output)[i];
      expected = ((int8_t *)c->expected)[i];
    }
    if (fabs(got - expected) <= (c->layer.dtype == SPK_F32 ? tolerance(c) : 0)) continue;
    EXPECT(
        0,
        "%s: output %zu is %g, not %g (in %dx%dx%dx%d out %dx%dx%d kernel %dx%d stride %dx%d "
        "dilation %dx%d pad %d,%d)",
        kernel->name, i, got, expected, w->batch, w->in_h, w->in_w, w->in_c, w->out_h, w->out_w,
        w->out_c, w->kernel_h, w->kernel_w, w->stride_h, w->stride_w, w->dilation_h,
        w->dilation_w, w->pad_top, w->pad_left);
    return;
  }
}

// Every kernel that takes the case, whole and in pieces.
static void check_case(layer_case *c) {
  int32_t count;
  const spk_kernel *kernels = spk_kernel_table(&count);
  const size_t bytes = c->outputs * (c->layer.dtype == SPK_F32 ? 4 : 1);
  EXPECT(spk_layer_check(&c->layer) == SPK_OK, "a test case is refused");
  run_kernel(reference_of(c->layer.op, c->layer.dtype), c, c->expected, 1);
  for (int32_t i = 0; i < count; ++i) {
    const spk_kernel *kernel = &kernels[i];
    if (kernel->op != c->layer.op || kernel->dtype != c->layer.dtype || !kernel->available())
      continue;
    for (int32_t parts = 1; parts <= 3; parts += 2) {
      memset(c->output, 0x55, bytes);
      if (run_kernel(kernel, c, c->output, parts)) compare(kernel, c);
    }
  }
}

static const double kDensities[] = {0.0, 0.05, 0.1, 0.2, 0.5, 1.0};

// Leaves only a share of the input channels other than zero, among the first `count` inputs: in
// float32 kernels may skip them.
static void kill_channels(layer_case *c, double live, size_t count) {
  const int32_t channels = c->layer.window.in_c;
  for (int32_t channel = 0; channel < channels; ++channel) {
    if (is_below(live)) continue;
    for (size_t i = (size_t)channel; i < count; i += (size_t)channels) {
      if (c->layer.dtype == SPK_F32)
        ((float *)c->input)[i] = 0.0f;
      else
        ((int8_t *)c->input)[i] = 0;
    }
  }
}

// Blocks of `height` rows by four columns.
static void fill_row_blocks(layer_case *c, double density, int32_t height) {
  const int32_t cols = spk_layer_cols(&c->layer), rows = c->layer.window.out_c;
  fill_weights(c, 1.0, 0);
  for (int32_t r = 0; r < rows; r += height) {
    for (int32_t column = 0; column < cols; column += 4) {
      if (is_below(density)) continue;
      const size_t width = (size_t)(cols - column < 4 ? cols - column : 4);
      const size_t element = c->layer.dtype == SPK_F32 ? 4 : 1;
      for (int32_t i = r; i < r + height && i < rows; ++i)
        memset((uint8_t *)c->weights + ((size_t)i * cols + column) * element, 0,
               width * element);
    }
  }
}

// `keep` of every 32 columns, as `kp.NM(keep, 32)` leaves them.
static void fill_balanced(layer_case *c, int32_t keep) {
  const int32_t cols = spk_layer_cols(&c->layer), rows = c->layer.window.out_c;
  const size_t element = c->layer.dtype == SPK_F32 ? 4 : 1;
  fill_weights(c, 1.0, 0);
  for (int32_t r = 0; r < rows; ++r) {
    for (int32_t column = 0, missing = keep; column < cols; ++column) {
      const int32_t left = 32 - column % 32;
      if (left == 32) missing = keep;
      if (spk_random_int(1, left) <= missing) {
        --missing;
        continue;
      }
      memset((uint8_t *)c->weights + ((size_t)r * cols + column) * element, 0, element);
    }
  }
}

static double random_density(void) { return kDensities[spk_random_int(0, 5)]; }

static spk_window2d fully_connected(int32_t batch, int32_t cols, int32_t rows) {
  return (spk_window2d){.batch = batch,
                        .in_h = 1,
                        .in_w = 1,
                        .in_c = cols,
                        .out_h = 1,
                        .out_w = 1,
                        .out_c = rows,
                        .kernel_h = 1,
                        .kernel_w = 1,
                        .stride_h = 1,
                        .stride_w = 1,
                        .dilation_h = 1,
                        .dilation_w = 1};
}

static void test_fully_connected(spk_dtype dtype) {
  static const int32_t sizes[] = {1,  2,  7,  8,   9,   15,  16,  17,
                                  31, 33, 64, 100, 127, 128, 129, 300};
  for (int trial = 0; trial < 2 * percent; ++trial) {
    const spk_window2d w = fully_connected(spk_random_int(1, 11), sizes[spk_random_int(0, 15)],
                                           sizes[spk_random_int(0, 15)]);
    layer_case c = make_case(SPK_FULLY_CONNECTED, dtype, &w);
    if (trial % 5 == 0)
      fill_row_blocks(&c, random_density(), 16);
    else if (trial % 5 == 1)
      fill_balanced(&c, spk_random_int(1, 9));
    else
      fill_weights(&c, random_density(), spk_random_int(0, 1));
    if (trial % 2) kill_channels(&c, random_density(), c.inputs);
    check_case(&c);
    free_case(&c);
  }
}

// TFLite's padding; returns 0 when no window fits.
static int place(int same, int32_t in, int32_t kernel, int32_t stride, int32_t dilation,
                 int32_t *out, int32_t *pad) {
  const int32_t span = (kernel - 1) * dilation + 1;
  *out = same ? (in + stride - 1) / stride : (in - span + stride) / stride;
  *pad = 0;
  if (!same && in < span) return 0;
  const int32_t missing = (*out - 1) * stride + span - in;
  if (missing > 0) *pad = missing / 2;
  return 1;
}

static void test_conv2d(spk_dtype dtype) {
  static const int32_t channels[] = {1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 24, 33};
  for (int trial = 0; trial < 5 * percent / 2; ++trial) {
    spk_window2d w = {.batch = spk_random_int(1, 3),
                      .in_h = spk_random_int(1, 19),
                      .in_w = spk_random_int(1, 19),
                      .in_c = channels[spk_random_int(0, 11)],
                      .out_c = channels[spk_random_int(0, 11)],
                      .kernel_h = spk_random_int(1, 4),
                      .kernel_w = spk_random_int(1, 4),
                      .stride_h = spk_random_int(1, 3),
                      .stride_w = spk_random_int(1, 3),
                      .dilation_h = spk_random_int(1, 3),
                      .dilation_w = spk_random_int(1, 3)};
    if (trial % 4 == 0) w.kernel_h = w.kernel_w = w.stride_h = w.stride_w = 1;
    const int same = spk_random_int(0, 1);
    if (!place(same, w.in_h, w.kernel_h, w.stride_h, w.dilation_h, &w.out_h, &w.pad_top) ||
        !place(same, w.in_w, w.kernel_w, w.stride_w, w.dilation_w, &w.out_w, &w.pad_left))
      continue;
    layer_case c = make_case(SPK_CONV_2D, dtype, &w);
    fill_weights(&c, random_density(), spk_random_int(0, 1));
    if (trial % 3 == 0) kill_channels(&c, random_density(), c.inputs);
    check_case(&c);
    free_case(&c);
  }
}

// Windows, strides and multipliers that some kernels decline; weights are dense.
static void test_depthwise(void) {
  static const int32_t channels[] = {1, 2, 3, 7, 8, 9, 16, 17, 24, 32, 40, 63, 64, 65, 70, 130};
  for (int trial = 0; trial < 400; ++trial) {
    const int32_t multiplier = trial % 3 ? 1 : spk_random_int(1, 9);
    spk_window2d w = {.batch = spk_random_int(1, 3),
                      .in_h = spk_random_int(1, 19),
                      .in_w = spk_random_int(1, 35),
                      .in_c = channels[spk_random_int(0, 15)],
                      .kernel_h = spk_random_int(1, 5),
                      .kernel_w = spk_random_int(1, 9),
                      .stride_h = spk_random_int(1, 3),
                      .stride_w = spk_random_int(1, 3),
                      .dilation_h = spk_random_int(1, 3),
                      .dilation_w = spk_random_int(1, 2)};
    w.out_c = w.in_c * multiplier;
    if (trial % 2) w.kernel_h = w.kernel_w = 3 + trial % 4 / 2 * 2, w.dilation_w = 1;
    const int same = spk_random_int(0, 1);
    if (!place(same, w.in_h, w.kernel_h, w.stride_h, w.dilation_h, &w.out_h, &w.pad_top) ||
        !place(same, w.in_w, w.kernel_w, w.stride_w, w.dilation_w, &w.out_w, &w.pad_left))
      continue;
    layer_case c = make_case(SPK_DEPTHWISE_CONV_2D, SPK_S8, &w);
    fill_weights(&c, trial % 5 ? 1.0 : 0.5, 0);
    if (trial % 7 == 0) memset(c.weights, 0x80, c.size);  // -128
    if (trial % 3 == 0)
      for (int32_t o = 0; o < w.out_c; ++o) c.shift[o] = spk_random_int(-12, -1);
    check_case(&c);
    free_case(&c);
  }
}

// Large enough for several bands and several tiles.
static void test_large_conv2d(spk_dtype dtype) {
  for (int32_t kernel = 1; kernel <= (percent < 100 ? 1 : 3); kernel += 2) {
    const spk_window2d w = {.batch = 2,
                            .in_h = 40,
                            .in_w = 37,
                            .in_c = 64,
                            .out_h = 40,
                            .out_w = 37,
                            .out_c = 84,
                            .kernel_h = kernel,
                            .kernel_w = kernel,
                            .stride_h = 1,
                            .stride_w = 1,
                            .dilation_h = 1,
                            .dilation_w = 1,
                            .pad_top = kernel / 2,
                            .pad_left = kernel / 2};
    layer_case c = make_case(SPK_CONV_2D, dtype, &w);
    fill_weights(&c, 0.1, 0);
    kill_channels(&c, 0.5, c.inputs / 3);  // in some bands, not in others
    check_case(&c);
    free_case(&c);
  }
}

// More output channels than a tile holds, inputs that are cut into slices, and every way to
// place a window.
static void test_many_channels(spk_dtype dtype) {
  for (int trial = 0; trial < 12; ++trial) {
    const int32_t kernel = trial % 3 == 0 ? 1 : 3, stride = 1 + trial % 2;
    const int32_t dilation = 1 + trial / 2 % 2;
    spk_window2d w = {.batch = 1 + trial % 2,
                      .in_h = spk_random_int(7, 23),
                      .in_w = spk_random_int(7, 23),
                      .in_c = spk_random_int(60, 80),
                      .out_c = spk_random_int(120, 150),
                      .kernel_h = kernel,
                      .kernel_w = kernel,
                      .stride_h = stride,
                      .stride_w = stride,
                      .dilation_h = dilation,
                      .dilation_w = dilation};
    const int same = trial / 4 % 2;
    EXPECT(place(same, w.in_h, kernel, stride, dilation, &w.out_h, &w.pad_top) &&
               place(same, w.in_w, kernel, stride, dilation, &w.out_w, &w.pad_left),
           "trial %d has no windows", trial);
    layer_case c = make_case(SPK_CONV_2D, dtype, &w);
    fill_weights(&c, 0.1, trial % 2);
    if (trial % 4 == 3) kill_channels(&c, 0.5, c.inputs);
    check_case(&c);
    free_case(&c);
  }
}

// All weights -128, all inputs -128, and accumulators that saturate.
static void test_extreme_int8(void) {
  const spk_window2d fc = fully_connected(2, 200, 24);
  const spk_window2d conv = {.batch = 1,
                             .in_h = 6,
                             .in_w = 6,
                             .in_c = 16,
                             .out_h = 6,
                             .out_w = 6,
                             .out_c = 16,
                             .kernel_h = 3,
                             .kernel_w = 3,
                             .stride_h = 1,
                             .stride_w = 1,
                             .dilation_h = 1,
                             .dilation_w = 1,
                             .pad_top = 1,
                             .pad_left = 1};
  for (int trial = 0; trial < 40; ++trial) {
    const spk_op op = trial % 2 ? SPK_CONV_2D : SPK_FULLY_CONNECTED;
    layer_case c = make_case(op, SPK_S8, op == SPK_CONV_2D ? &conv : &fc);
    for (size_t i = 0; i < c.size; ++i)
      ((int8_t *)c.weights)[i] = (int8_t)(trial % 3 == 0 ? -128 : spk_random_int(-128, -126));
    memset(c.input, trial % 5 < 3 ? 0x80 : 0x7f, c.inputs);
    for (int32_t o = 0; c.bias && o < c.layer.window.out_c; ++o)
      ((int32_t *)c.bias)[o] = o % 2 ? INT32_MAX - 9000000 : INT32_MIN + 9000000;
    for (int32_t o = 0; o < c.layer.window.out_c; ++o) c.shift[o] = spk_random_int(-31, 0);
    check_case(&c);
    free_case(&c);
  }
}

// The exact halfway cases of both roundings, one output each.
static void test_rounding(void) {
  const spk_window2d w = fully_connected(1, 1, 256);
  layer_case c = make_case(SPK_FULLY_CONNECTED, SPK_S8, &w);
  int32_t bias[256];
  c.layer.bias = bias;
  for (int shift = 0; shift < 12; ++shift) {
    for (int32_t o = 0; o < 256; ++o) {
      bias[o] = (o - 128) * (shift < 2 ? 1 : 1 << (shift - 2)) + o % 3 - 1;
      c.multiplier[o] = o % 2 ? 1 << 30 : spk_random_int(1 << 30, INT32_MAX);
      c.shift[o] = -shift;
      ((int8_t *)c.weights)[o] = 0;
    }
    check_case(&c);
  }
  free_case(&c);
}

static void test_unaligned_tensors(spk_dtype dtype) {
  const spk_window2d w = fully_connected(1, 96, 40);
  layer_case c = make_case(SPK_FULLY_CONNECTED, dtype, &w);
  fill_weights(&c, 0.3, 0);
  const size_t element = dtype == SPK_F32 ? 4 : 1, bytes = c.inputs * element;
  uint8_t *base = spk_test_buffer(bytes + element);
  memcpy(base + element, c.input, bytes);
  void *input = c.input;
  c.input = base + element;
  check_case(&c);
  c.input = input;
  free(base);
  free_case(&c);
}

static void test_layer_check(void) {
  spk_layer layer = {
      .op = SPK_FULLY_CONNECTED, .dtype = SPK_F32, .window = fully_connected(1, 8, 8)};
  EXPECT(spk_layer_check(&layer) == SPK_OK, "a plain layer");
  EXPECT(spk_layer_check(NULL) == SPK_ERR_ARGUMENT, "NULL");
  layer.window.in_c = 1 << 20;
  layer.window.out_c = 1 << 20;
  EXPECT(spk_layer_check(&layer) == SPK_ERR_ARGUMENT, "2^40 weights");
  layer.window = fully_connected(1, 8, 8);
  layer.window.batch = 0;
  EXPECT(spk_layer_check(&layer) == SPK_ERR_ARGUMENT, "an empty batch");
  layer.window = fully_connected(1, 8, 8);
  layer.window.stride_h = 0;
  EXPECT(spk_layer_check(&layer) == SPK_ERR_ARGUMENT, "stride 0");
  layer.window = fully_connected(1, 8, 8);
  layer.window.out_h = 100;
  EXPECT(spk_layer_check(&layer) == SPK_ERR_ARGUMENT, "windows far outside the input");
}

static void test_table(void) {
  int32_t count;
  const spk_kernel *kernels = spk_kernel_table(&count);
  for (int32_t i = 0; i < count; ++i) {
    EXPECT(strncmp(kernels[i].name, "spk_", 4) == 0, "%s", kernels[i].name);
    for (int32_t j = 0; j < i; ++j)
      EXPECT(strcmp(kernels[i].name, kernels[j].name) != 0, "%s twice", kernels[i].name);
    if (!kernels[i].available()) printf("not on this machine: %s\n", kernels[i].name);
  }
}

int main(int argc, char **argv) {
  if (argc > 1) percent = atoi(argv[1]);
  test_table();
  test_layer_check();
  for (int dtype = SPK_F32; dtype <= SPK_S8; ++dtype) {
    test_fully_connected((spk_dtype)dtype);
    test_conv2d((spk_dtype)dtype);
    test_large_conv2d((spk_dtype)dtype);
    test_many_channels((spk_dtype)dtype);
    test_unaligned_tensors((spk_dtype)dtype);
  }
  test_depthwise();
  test_extreme_int8();
  test_rounding();
  return spk_test_result();
}
