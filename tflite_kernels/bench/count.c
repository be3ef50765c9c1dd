// Runs kernels between the marks of micro/qemu_count, so that QEMU counts their instructions:
//
//   qemu-aarch64 -plugin count.so,out=counts.txt spk_count CASE...
//
// with cases `kernel:size:inputs:outputs:window:density:rows:cols`: a convolution of size x
// size pixels, or a fully connected layer where the kernel is one (size and window 1). A
// `density` of the weights is not zero, at random or, if it is n/m, n out of every m
// neighbours, in blocks of rows x cols. Prints the sum of the outputs of each case, in which
// kernels must agree.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spk/kernel_table.h"

#if defined(__aarch64__)
#define BEGIN() __asm__ volatile("mov x10, x10" ::: "memory")
#define END()   __asm__ volatile("mov x11, x11" ::: "memory")
#else
#define BEGIN()
#define END()
#endif

enum { kMostChannels = 4096 };

typedef struct count_case {
  char kernel[64];
  int32_t size, in_c, out_c, window, rows, cols;
  double density;
  int32_t kept, of;  // n out of every m, or 0
} count_case;

static int parse(const char *text, count_case *c) {
  char density[16];
  if (sscanf(text, "%63[^:]:%d:%d:%d:%d:%15[^:]:%d:%d", c->kernel, &c->size, &c->in_c,
             &c->out_c, &c->window, density, &c->rows, &c->cols) != 8)
    return 0;
  if (sscanf(density, "%d/%d", &c->kept, &c->of) != 2) c->kept = c->of = 0;
  c->density = atof(density);
  return c->rows > 0 && c->cols > 0 && c->out_c <= kMostChannels;
}

static const spk_kernel *find(const char *name) {
  int32_t count;
  const spk_kernel *kernels = spk_kernel_table(&count);
  for (int32_t i = 0; i < count; ++i)
    if (!strcmp(kernels[i].name, name) && kernels[i].available()) return &kernels[i];
  return NULL;
}

static void *buffer(size_t bytes) {
  void *memory = aligned_alloc(64, (bytes + 127) / 64 * 64);
  if (!memory) abort();
  return memset(memory, 0, bytes + 1);
}

static void put(const spk_layer *layer, void *values, size_t at, int value) {
  if (layer->dtype == SPK_F32)
    ((float *)values)[at] = 0.01f * (float)value;
  else
    ((int8_t *)values)[at] = (int8_t)value;
}

// Each of what is left of a window with the same probability, or any.
static int is_kept(const count_case *c, int32_t column, int32_t *missing) {
  if (c->of == 0) return rand() < c->density * RAND_MAX;
  const int32_t at = column % c->of;
  if (at == 0) *missing = c->kept;
  const int kept = (double)rand() * (c->of - at) < (double)*missing * RAND_MAX;
  *missing -= kept;
  return kept;
}

static void fill(const spk_layer *layer, const count_case *c, void *weights) {
  const int32_t rows = layer->window.out_c, cols = spk_layer_cols(layer);
  for (int32_t r = 0; r < rows; r += c->rows) {
    int32_t missing = 0;
    for (int32_t k = 0; k < cols; k += c->cols) {
      if (!is_kept(c, k, &missing)) continue;
      for (int32_t i = r; i < r + c->rows && i < rows; ++i)
        for (int32_t j = k; j < k + c->cols && j < cols; ++j)
          put(layer, weights, (size_t)i * cols + j, 1 + rand() % 127);
    }
  }
}

static int run_case(const count_case *c, const spk_kernel *kernel) {
  static int32_t multiplier[kMostChannels], shift[kMostChannels], bias[kMostChannels];
  static uint32_t low[kMostChannels];
  for (int i = 0; i < kMostChannels; ++i) multiplier[i] = 1518500250, shift[i] = -9, low[i] = 7;
  const spk_layer layer = {
      .op = kernel->op,
      .dtype = kernel->dtype,
      .window = {.batch = 1,
                 .in_h = c->size,
                 .in_w = c->size,
                 .in_c = c->in_c,
                 .out_h = c->size,
                 .out_w = c->size,
                 .out_c = c->out_c,
                 .kernel_h = c->window,
                 .kernel_w = c->window,
                 .stride_h = 1,
                 .stride_w = 1,
                 .dilation_h = 1,
                 .dilation_w = 1,
                 .pad_top = c->window / 2,
                 .pad_left = c->window / 2},
      .requant = {.multiplier = multiplier,
                  .shift = shift,
                  .multiplier_low = low,
                  .input_offset = 3,
                  .output_offset = -128,
                  .act_min = -128,
                  .act_max = 127},
      .act_min = 0.0f,
      .act_max = INFINITY,
      .bias = bias,
  };
  if (spk_layer_check(&layer) != SPK_OK) return 0;
  srand(1);
  const size_t pixels = (size_t)c->size * (size_t)c->size;
  void *weights = buffer((size_t)c->out_c * (size_t)spk_layer_cols(&layer) * 4);
  void *input = buffer(pixels * (size_t)c->in_c * 4);
  void *output = buffer(pixels * (size_t)c->out_c * 4),
       *scratch = buffer(kernel->scratch(&layer));
  fill(&layer, c, weights);
  for (size_t i = 0; i < pixels * (size_t)c->in_c; ++i)
    put(&layer, input, i, rand() % 255 - 127);
  const size_t bytes = kernel->pack_size(&layer, weights);
  void *packed = buffer(bytes);
  const int is_packed = bytes > 0 && kernel->pack(&layer, weights, packed, bytes) == SPK_OK;
  const spk_args args = {.layer = &layer,
                         .packed = packed,
                         .input = input,
                         .output = output,
                         .scratch = scratch,
                         .begin = 0,
                         .end = kernel->units(&layer)};
  if (is_packed) {
    BEGIN();
    kernel->run(&args);
    END();
    double sum = 0;
    for (size_t i = 0; i < pixels * (size_t)c->out_c; ++i)
      sum += kernel->dtype == SPK_F32 ? ((float *)output)[i] : ((int8_t *)output)[i];
    printf("%.6g\n", sum);
  }
  free(weights);
  free(input);
  free(output);
  free(scratch);
  free(packed);
  return is_packed;
}

int main(int argc, char **argv) {
  for (int i = 1; i < argc; ++i) {
    count_case c;
    const spk_kernel *kernel = parse(argv[i], &c) ? find(c.kernel) : NULL;
    if (!kernel || !run_case(&c, kernel)) {
      fprintf(stderr, "No such kernel here, or not for this layer. Received: %s\n", argv[i]);
      return 1;
    }
  }
  return 0;
}
