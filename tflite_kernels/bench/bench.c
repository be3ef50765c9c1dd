// Times every kernel of the table that runs on this machine.
//
//   spk_bench [part of a kernel name [part of the name of a layer [name of a pattern]]]
//   spk_bench --table                   the kernels and their preconditions, as Markdown
//
// Prints, for each layer, pattern of zeros and kernel: the shortest time of many, GOP/s of the
// nonzero multiply-adds, and effective GOP/s as if all weights had been multiplied. One
// multiply-add is two operations.
#define _POSIX_C_SOURCE 200809L

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "spk/kernel_table.h"

typedef struct bench_layer {
  const char *name;
  spk_op op;
  int32_t size, in_c, out_c, kernel;  // size: height and width
  int32_t batch, stride;
} bench_layer;

static const bench_layer kLayers[] = {
    {"fc 256x256", SPK_FULLY_CONNECTED, 1, 256, 256, 1, 1, 1},
    {"fc 1024x1024", SPK_FULLY_CONNECTED, 1, 1024, 1024, 1, 1, 1},
    {"fc 1024x1024 batch 8", SPK_FULLY_CONNECTED, 1, 1024, 1024, 1, 8, 1},
    {"1x1 28x28 128->256", SPK_CONV_2D, 28, 128, 256, 1, 1, 1},
    {"1x1 56x56 64->128", SPK_CONV_2D, 56, 64, 128, 1, 1, 1},
    {"1x1 14x14 256->512", SPK_CONV_2D, 14, 256, 512, 1, 1, 1},
    {"1x1 7x7 960->320", SPK_CONV_2D, 7, 960, 320, 1, 1, 1},
    {"3x3 28x28 128->128", SPK_CONV_2D, 28, 128, 128, 3, 1, 1},
    {"3x3 56x56 64->64", SPK_CONV_2D, 56, 64, 64, 3, 1, 1},
    {"3x3 14x14 256->256", SPK_CONV_2D, 14, 256, 256, 3, 1, 1},
    {"3x3 s2 56x56 64->128", SPK_CONV_2D, 56, 64, 128, 3, 1, 2},
    {"3x3 s2 224x224 3->32", SPK_CONV_2D, 224, 3, 32, 3, 1, 2},
    {"7x7 s2 224x224 3->64", SPK_CONV_2D, 224, 3, 64, 7, 1, 2},
    {"depthwise 3x3 56x56x64", SPK_DEPTHWISE_CONV_2D, 56, 64, 64, 3, 1, 1},
    {"depthwise 3x3 28x28x128", SPK_DEPTHWISE_CONV_2D, 28, 128, 128, 3, 1, 1},
    {"depthwise 3x3 14x14x256", SPK_DEPTHWISE_CONV_2D, 14, 256, 256, 3, 1, 1},
    {"depthwise 3x3 s2 112x112x96", SPK_DEPTHWISE_CONV_2D, 112, 96, 96, 3, 1, 2},
    {"depthwise 3x3 s2 28x28x192", SPK_DEPTHWISE_CONV_2D, 28, 192, 192, 3, 1, 2},
    {"depthwise 3x3 7x7x960", SPK_DEPTHWISE_CONV_2D, 7, 960, 960, 3, 1, 1},
    {"depthwise 5x5 14x14x256", SPK_DEPTHWISE_CONV_2D, 14, 256, 256, 5, 1, 1},
};

// Zeros come in blocks of rows x cols, at random or as the same number in every `window` of
// neighbouring columns. `live` is the share of inputs that are not zero; convolutions have
// whole channels of zeros.
typedef struct bench_pattern {
  const char *name;
  double density;
  int32_t rows, cols, window;
  double live;
} bench_pattern;

static const bench_pattern kPatterns[] = {
    {"50 %", 0.5, 1, 1, 0, 1.0},
    {"80 %", 0.2, 1, 1, 0, 1.0},
    {"90 %", 0.1, 1, 1, 0, 1.0},
    {"95 %", 0.05, 1, 1, 0, 1.0},
    {"90 % 1x4", 0.1, 1, 4, 0, 1.0},
    {"80 % 2x4", 0.2, 2, 4, 0, 1.0},
    {"90 % 2x4", 0.1, 2, 4, 0, 1.0},
    {"95 % 2x4", 0.05, 2, 4, 0, 1.0},
    {"80 % 4x4", 0.2, 4, 4, 0, 1.0},
    {"90 % 4x4", 0.1, 4, 4, 0, 1.0},
    {"95 % 4x4", 0.05, 4, 4, 0, 1.0},
    {"80 % 2x1", 0.2, 2, 1, 0, 1.0},
    {"90 % 2x1", 0.1, 2, 1, 0, 1.0},
    {"95 % 2x1", 0.05, 2, 1, 0, 1.0},
    {"80 % 4x1", 0.2, 4, 1, 0, 1.0},
    {"90 % 4x1", 0.1, 4, 1, 0, 1.0},
    {"95 % 4x1", 0.05, 4, 1, 0, 1.0},
    {"90 % 4x1, live 75 %", 0.1, 4, 1, 0, 0.75},
    {"90 % 4x1, live 50 %", 0.1, 4, 1, 0, 0.5},
    {"80 % 8x1", 0.2, 8, 1, 0, 1.0},
    {"90 % 8x1", 0.1, 8, 1, 0, 1.0},
    {"95 % 8x1", 0.05, 8, 1, 0, 1.0},
    {"80 % 16x1", 0.2, 16, 1, 0, 1.0},
    {"90 % 16x1", 0.1, 16, 1, 0, 1.0},
    {"95 % 16x1", 0.05, 16, 1, 0, 1.0},
    {"80 % 16x4", 0.2, 16, 4, 0, 1.0},
    {"90 % 16x4", 0.1, 16, 4, 0, 1.0},
    {"95 % 16x4", 0.05, 16, 4, 0, 1.0},
    {"90 % 16x1, live 50 %", 0.1, 16, 1, 0, 0.5},
    {"90 % 16x1, live 25 %", 0.1, 16, 1, 0, 0.25},
    {"90 % 16x1, live 10 %", 0.1, 16, 1, 0, 0.1},
    {"6:32", 6 / 32.0, 1, 1, 32, 1.0},
    {"3:32", 3 / 32.0, 1, 1, 32, 1.0},
    {"2:32", 2 / 32.0, 1, 1, 32, 1.0},
    {"6:32 1x4", 6 / 32.0, 1, 4, 128, 1.0},
    {"3:32 1x4", 3 / 32.0, 1, 4, 128, 1.0},
    {"2:32 1x4", 2 / 32.0, 1, 4, 128, 1.0},
    {"24:128", 24 / 128.0, 1, 1, 128, 1.0},
    {"12:128", 12 / 128.0, 1, 1, 128, 1.0},
    {"8:128", 8 / 128.0, 1, 1, 128, 1.0},
};

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static void *buffer(size_t bytes) {
  void *memory = aligned_alloc(64, (bytes + 127) / 64 * 64);
  if (!memory) abort();
  memset(memory, 0, bytes);
  return memory;
}

static int is_below(double share) { return rand() < share * RAND_MAX; }

// Is the block at this column kept? Of the blocks of a window exactly this share is: each with
// the probability that is left for it.
static int is_kept(const bench_pattern *pattern, int32_t column, int32_t *missing) {
  if (pattern->window == 0) return is_below(pattern->density);
  const int32_t at = column % pattern->window;
  const int32_t blocks = pattern->window / pattern->cols;
  if (at == 0) *missing = (int32_t)lround(pattern->density * blocks);
  const int kept = is_below((double)*missing / (blocks - at / pattern->cols));
  *missing -= kept;
  return kept;
}

// Returns the share of weights that are kept.
static double fill(const spk_layer *layer, const bench_pattern *pattern, void *weights) {
  const int32_t rows = layer->window.out_c, cols = spk_layer_cols(layer);
  size_t kept = 0;
  srand(1);
  for (int32_t r = 0; r < rows; r += pattern->rows) {
    int32_t missing = 0;
    for (int32_t c = 0; c < cols; c += pattern->cols) {
      if (!is_kept(pattern, c, &missing)) continue;
      for (int32_t i = r; i < r + pattern->rows && i < rows; ++i) {
        for (int32_t j = c; j < c + pattern->cols && j < cols; ++j, ++kept) {
          const size_t at = (size_t)i * cols + j;
          if (layer->dtype == SPK_F32)
            ((float *)weights)[at] = 0.01f * (float)(1 + rand() % 100);
          else
            ((int8_t *)weights)[at] = (int8_t)(1 + rand() % 127);
        }
      }
    }
  }
  return (double)kept / rows / cols;
}

static void *make_input(const spk_layer *layer, double live) {
  const spk_window2d *w = &layer->window;
  const int32_t pixels = w->batch * w->in_h * w->in_w;
  uint8_t *input = buffer((size_t)pixels * w->in_c * 4);
  for (int32_t c = 0; c < w->in_c; ++c) {
    if (!is_below(live)) continue;
    for (int32_t p = 0; p < pixels; ++p) {
      const size_t at = (size_t)p * w->in_c + c;
      if (layer->dtype == SPK_F32)
        ((float *)(void *)input)[at] = 0.01f * (float)(1 + rand() % 100);
      else
        input[at] = (uint8_t)(1 + rand() % 255);
    }
  }
  return input;
}

// Seconds of one call, the best of many rounds (other programs only ever add time), or 0 when
// the kernel does not take the weights.
static double time_kernel(const spk_kernel *kernel, const spk_layer *layer, const void *weights,
                          const void *input) {
  enum { kRounds = 40 };
  const spk_window2d *w = &layer->window;
  const size_t bytes = kernel->pack_size(layer, weights);
  if (bytes == 0) return 0;
  void *packed = buffer(bytes), *scratch = buffer(kernel->scratch(layer));
  void *output = buffer((size_t)w->batch * w->out_h * w->out_w * w->out_c * 4);
  kernel->pack(layer, weights, packed, bytes);
  const spk_args args = {.layer = layer,
                         .packed = packed,
                         .input = input,
                         .output = output,
                         .scratch = scratch,
                         .begin = 0,
                         .end = kernel->units(layer)};
  double start = now(), best = 1e9;
  kernel->run(&args);
  const int calls = 1 + (int)(3e-4 / (now() - start + 1e-7));
  for (int round = 0; round < kRounds; ++round) {
    start = now();
    for (int i = 0; i < calls; ++i) kernel->run(&args);
    best = fmin(best, (now() - start) / calls);
  }
  free(packed);
  free(scratch);
  free(output);
  return best;
}

static void bench_kernels(const spk_layer *layer, const char *name,
                          const bench_pattern *pattern, const char *filter) {
  const spk_window2d *w = &layer->window;
  const double size = (double)w->out_c * spk_layer_cols(layer);
  void *weights = buffer((size_t)size * 4);
  const double density = fill(layer, pattern, weights);
  const double operations = 2 * size * w->batch * w->out_h * w->out_w;
  void *input = make_input(layer, pattern->live);
  int32_t count;
  const spk_kernel *kernels = spk_kernel_table(&count);
  for (int32_t i = 0; i < count; ++i) {
    const spk_kernel *kernel = &kernels[i];
    if (kernel->op != layer->op || kernel->dtype != layer->dtype || !kernel->available() ||
        !strstr(kernel->name, filter))
      continue;
    const double seconds = time_kernel(kernel, layer, weights, input);
    if (seconds == 0) continue;
    printf("%-33s %-20s %-48s %9.2f us %8.1f GOP/s %9.1f effective\n", name, pattern->name,
           kernel->name, 1e6 * seconds, 1e-9 * operations * density / seconds,
           1e-9 * operations / seconds);
    fflush(stdout);
  }
  free(input);
  free(weights);
}

static const char *const kOperators[] = {"FULLY_CONNECTED", "CONV_2D", "DEPTHWISE_CONV_2D"};

static int print_table(void) {
  int32_t count;
  const spk_kernel *kernels = spk_kernel_table(&count);
  printf("| kernel | operator | type | format | instructions | precondition |\n");
  printf("|---|---|---|---|---|---|\n");
  for (int32_t i = 0; i < count; ++i) {
    const spk_kernel *k = &kernels[i];
    printf("| `%s` | %s | %s | `%s` | %s | %s |\n", k->name, kOperators[k->op],
           k->dtype == SPK_F32 ? "float32" : "int8", k->format, k->isa, k->precondition);
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc > 1 && !strcmp(argv[1], "--table")) return print_table();
  const char *filter = argc > 1 ? argv[1] : "__a";  // by default without the slow references
  const char *layers = argc > 2 ? argv[2] : "", *only = argc > 3 ? argv[3] : NULL;
  static int32_t multiplier[1024], shift[1024], bias[1024];
  for (int i = 0; i < 1024; ++i) multiplier[i] = (1 << 30) + 1040007 * i, shift[i] = -8;
  for (size_t l = 0; l < sizeof(kLayers) / sizeof(kLayers[0]); ++l) {
    const bench_layer *b = &kLayers[l];
    if (!strstr(b->name, layers)) continue;
    const int32_t out = (b->size - 1) / b->stride + 1;
    const int32_t missing = (out - 1) * b->stride + b->kernel - b->size;
    for (int dtype = SPK_F32; dtype <= SPK_S8; ++dtype) {
      if (b->op == SPK_DEPTHWISE_CONV_2D && dtype == SPK_F32) continue;
      const spk_layer layer = {
          .op = b->op,
          .dtype = (spk_dtype)dtype,
          .window = {.batch = b->batch,
                     .in_h = b->size,
                     .in_w = b->size,
                     .in_c = b->in_c,
                     .out_h = out,
                     .out_w = out,
                     .out_c = b->out_c,
                     .kernel_h = b->kernel,
                     .kernel_w = b->kernel,
                     .stride_h = b->stride,
                     .stride_w = b->stride,
                     .dilation_h = 1,
                     .dilation_w = 1,
                     .pad_top = missing / 2,
                     .pad_left = missing / 2},
          .requant = {.multiplier = multiplier,
                      .shift = shift,
                      .output_offset = -128,
                      .act_min = -128,
                      .act_max = 127},
          .act_min = 0.0f,
          .act_max = INFINITY,
          .bias = bias,
      };
      for (size_t p = 0; p < sizeof(kPatterns) / sizeof(kPatterns[0]); ++p)
        if (only ? !strcmp(kPatterns[p].name, only) : p == 0 || b->op != SPK_DEPTHWISE_CONV_2D)
          bench_kernels(&layer, b->name, &kPatterns[p], filter);
    }
  }
  return 0;
}
