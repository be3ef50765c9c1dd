// Every kernel has a cost, and the rule chooses as it should at the ends.
#include "delegate/cost_rule.h"

#include <string.h>

#include "delegate/stock_cost.h"
#if defined(__x86_64__)
#include "kernels/x86/kernels_x86.h"
#endif
#include "tests/test.h"

static spk_layer make_layer(spk_op op, spk_dtype dtype) {
  const int32_t size = op == SPK_CONV_2D ? 14 : 1;
  return (spk_layer){.op = op,
                     .dtype = dtype,
                     .window = {.batch = 1,
                                .in_h = size,
                                .in_w = size,
                                .in_c = 256,
                                .out_h = size,
                                .out_w = size,
                                .out_c = 1024,
                                .kernel_h = 1,
                                .kernel_w = 1,
                                .stride_h = 1,
                                .stride_w = 1,
                                .dilation_h = 1,
                                .dilation_w = 1}};
}

// One column in ten of every `height` rows.
static const spk_kernel *choose_for_blocks(spk_op op, int32_t height, double *nanoseconds) {
  const spk_layer layer = make_layer(op, SPK_F32);
  const int32_t rows = layer.window.out_c, cols = layer.window.in_c;
  float *weights = calloc((size_t)rows * (size_t)cols, sizeof(float));
  for (int32_t r = 0; r < rows; r += height)
    for (int32_t c = 0; c < cols; ++c)
      for (int32_t i = r, keep = spk_random_int(0, 9) == 0; keep && i < r + height; ++i)
        weights[i * cols + c] = 1.0f;
  const spk_kernel *kernel = spk_choose_kernel(&layer, weights, nanoseconds);
  free(weights);
  return kernel;
}

// Blocks are found in plain zeros, and not where there are none; larger ones never cost more.
static void test_blocks(void) {
  static const char *const conv[] = {"blocks1x1", "blocks2x1", "blocks4x1"};
  double single, double_rows, four, sixteen;
  const spk_kernel *kernel = choose_for_blocks(SPK_FULLY_CONNECTED, 16, &sixteen);
  EXPECT(strstr(kernel->name, "blocks16x1"), "%s", kernel->name);
  kernel = choose_for_blocks(SPK_FULLY_CONNECTED, 1, &single);
  EXPECT(!strstr(kernel->name, "blocks"), "%s", kernel->name);
  EXPECT(sixteen < single, "%g ns, %g without blocks", sixteen, single);
  double *const times[] = {&single, &double_rows, &four};
  for (int i = 0; i < 3; ++i) {
    kernel = choose_for_blocks(SPK_CONV_2D, 1 << i, times[i]);
    EXPECT(!strcmp(kernel->isa, "c") || strstr(kernel->name, conv[i]), "%s", kernel->name);
  }
  EXPECT(four <= double_rows && double_rows <= single, "%g, %g, %g ns", four, double_rows,
         single);
}

#if defined(__x86_64__)
// int8 FULLY_CONNECTED, a tenth kept in blocks of `height` x `width`: which format is chosen?
static const char *choose_s8(int32_t height, int32_t width) {
  const spk_layer layer = make_layer(SPK_FULLY_CONNECTED, SPK_S8);
  const int32_t rows = layer.window.out_c, cols = layer.window.in_c;
  int8_t *weights = calloc((size_t)rows * (size_t)cols, 1);
  for (int32_t r = 0; r < rows; r += height)
    for (int32_t c = 0; c < cols; c += width)
      for (int32_t i = r, keep = spk_random_int(0, 9) == 0; keep && i < r + height; ++i)
        memset(weights + i * cols + c, 1, (size_t)width);
  double nanoseconds;
  const spk_kernel *kernel = spk_choose_kernel(&layer, weights, &nanoseconds);
  free(weights);
  return kernel->name;
}

static void test_int8_formats(void) {
  if (!spk_has_avx512vbmi()) return;
  const char *blocks = choose_s8(16, 4), *quads = choose_s8(1, 4), *single = choose_s8(1, 1);
  EXPECT(strstr(blocks, "s8_blocks16x4"), "%s", blocks);
  EXPECT(strstr(quads, "s8_quads"), "%s", quads);
  EXPECT(strstr(single, "s8_windows"), "%s", single);
}
#else
static void test_int8_formats(void) {}
#endif

static spk_layer make_depthwise(int32_t size, int32_t channels, int32_t stride) {
  spk_layer layer = make_layer(SPK_DEPTHWISE_CONV_2D, SPK_S8);
  layer.window.in_h = layer.window.in_w = size;
  layer.window.out_h = layer.window.out_w = (size - 1) / stride + 1;
  layer.window.in_c = layer.window.out_c = channels;
  layer.window.kernel_h = layer.window.kernel_w = 3;
  layer.window.stride_h = layer.window.stride_w = stride;
  layer.window.pad_top = layer.window.pad_left = 1;
  return layer;
}

// Dense depthwise layers are worth claiming where they are large; float32 has no kernel.
static void test_depthwise(void) {
  int8_t weights[9 * 128];
  memset(weights, 1, sizeof(weights));
  double small_time, large_time;
  const spk_layer small = make_depthwise(5, 16, 1), large = make_depthwise(56, 64, 1);
  spk_choose_kernel(&small, weights, &small_time);
  const spk_kernel *kernel = spk_choose_kernel(&large, weights, &large_time);
  EXPECT(small_time < large_time, "%g ns for less than %g", small_time, large_time);
  EXPECT(!spk_beats_stock(&small, small_time), "5x5 pixels in %g ns", small_time);
  EXPECT(!strstr(kernel->isa, "avx512") || spk_beats_stock(&large, large_time),
         "%s loses with %g ns", kernel->name, large_time);
}

// A group is a convolution for the stock kernel, and a group for each channel a depthwise one:
// each is less work, until what a group takes anyway weighs more.
static void test_stock_groups(void) {
  for (int dtype = SPK_F32; dtype <= SPK_S8; ++dtype) {
    spk_layer layer = make_layer(SPK_CONV_2D, (spk_dtype)dtype);
    layer.window.in_c = layer.window.out_c = 256;
    layer.window.kernel_h = layer.window.kernel_w = 3;
    layer.window.pad_top = layer.window.pad_left = 1;
    const double whole = spk_stock_nanoseconds(&layer);
    layer.groups = 4;
    const double four = spk_stock_nanoseconds(&layer);
    EXPECT(four > 0.2 * whole && four < 0.4 * whole, "%g of %g ns in 4 groups", four, whole);
    layer.groups = 32;
    EXPECT(spk_stock_nanoseconds(&layer) < four, "32 groups take longer than 4");
    layer.groups = 128;
    EXPECT(spk_stock_nanoseconds(&layer) < whole, "128 groups take longer than 1");
    layer.groups = 256;
    const double each = spk_stock_nanoseconds(&layer);
    layer.op = SPK_DEPTHWISE_CONV_2D;
    EXPECT(each == spk_stock_nanoseconds(&layer), "%g ns with a group for each channel", each);
  }
}

int main(void) {
  test_blocks();
  test_stock_groups();
  test_depthwise();
  test_int8_formats();
  int32_t count;
  const spk_kernel *kernels = spk_kernel_table(&count);
  for (int32_t i = 0; i < count; ++i)
    EXPECT(spk_has_cost(&kernels[i]), "%s has no row in cost_rule.c", kernels[i].name);

  void *zeros = calloc(1024 * 256, 4);
  float *ones = calloc(1024 * 256, 4);
  for (int i = 0; i < 1024 * 256; ++i) ones[i] = 1.0f;
  for (int op = SPK_FULLY_CONNECTED; op <= SPK_CONV_2D; ++op) {
    for (int dtype = SPK_F32; dtype <= SPK_S8; ++dtype) {
      const spk_layer layer = make_layer((spk_op)op, (spk_dtype)dtype);
      double empty, full;
      const spk_kernel *kernel = spk_choose_kernel(&layer, zeros, &empty);
      EXPECT(!strstr(kernel->name, "_dense_"), "%s for zeros", kernel->name);
      EXPECT(kernel->op == layer.op && kernel->dtype == layer.dtype && kernel->available(),
             "%s", kernel->name);
      spk_choose_kernel(&layer, ones, &full);
      EXPECT(empty < full, "%s: %g ns for zeros, %g ns for ones", kernel->name, empty, full);
      if (!strcmp(kernel->isa, "c")) continue;
      EXPECT(spk_beats_stock(&layer, empty), "%s loses with zeros", kernel->name);
      EXPECT(!spk_beats_stock(&layer, full), "%s wins with ones", kernel->name);
    }
  }
  free(zeros);
  free(ones);
  return spk_test_result();
}
