// Sparse float32 FULLY_CONNECTED: sixteen rows, windows of 32 inputs, vpermi2ps.
//
// Windows start at multiples of 16 inputs: one that crosses no cache line is loaded in half the
// time, which is worth more than the fewer steps of windows that start anywhere. Where they
// stand side by side, n:32, a window is loaded once for its steps; elsewhere the branch would
// be mispredicted too often. Four steps are in flight, so that their additions do not wait for
// each other.
#include <immintrin.h>

#include "kernels/x86/kernels_x86.h"
#include "kernels/x86/windows_x86.h"

#define TARGET __attribute__((target("avx512f,avx2,fma")))
#define INLINE TARGET static inline __attribute__((always_inline))

enum { kLanes = 16, kChains = 4 };

typedef struct window {
  __m512 low, high;
} window;

INLINE window window_at(const float *x) {
  return (window){_mm512_loadu_ps(x), _mm512_loadu_ps(x + 16)};
}

INLINE __m512 add_step(const spk_windows_view *view, size_t step, window x, __m512 sum) {
  const uint8_t *index = view->index + step * kLanes;
  const float *weights = (const float *)(const void *)view->weights + step * kLanes;
  const __m128i bytes = _mm_loadu_si128((const __m128i *)(const void *)index);
  const __m512 chosen = _mm512_permutex2var_ps(x.low, _mm512_cvtepu8_epi32(bytes), x.high);
  return _mm512_fmadd_ps(chosen, _mm512_loadu_ps(weights), sum);
}

// Four steps, or the `count` that are left; with `shared`, `x` is the window at `start`.
INLINE void add_steps(const spk_windows_view *view, size_t step, const float *input,
                      uint16_t *start, window *x, __m512 *sum, int count, const int shared) {
#pragma GCC unroll 4
  for (int j = 0; j < count; ++j) {
    const uint16_t at = view->start[step + (size_t)j];
    if (!shared || at != *start) *x = window_at(input + at);
    *start = at;
    sum[j] = add_step(view, step + (size_t)j, *x, sum[j]);
  }
}

INLINE __m512 group_sum(const spk_windows_view *view, int32_t group, const float *input,
                        const int shared) {
  __m512 sum[kChains];
  for (int j = 0; j < kChains; ++j) sum[j] = _mm512_setzero_ps();
  size_t step = view->first_step[group];
  const size_t end = view->first_step[group + 1];
  uint16_t start = 0;
  window x = window_at(input);
  for (; step + kChains <= end; step += kChains)
    add_steps(view, step, input, &start, &x, sum, kChains, shared);
  add_steps(view, step, input, &start, &x, sum, (int)(end - step), shared);
  return _mm512_add_ps(_mm512_add_ps(sum[0], sum[1]), _mm512_add_ps(sum[2], sum[3]));
}

// Adds the bias and clamps the rows of a group that exist.
TARGET static void finish(const spk_layer *layer, int32_t group, __m512 sum, float *output) {
  const int32_t first = group * kLanes;
  const int32_t rows = spk_windows_rows(layer, &kSpkWindowsF32Avx512, group);
  const __mmask16 exist = (__mmask16)((1u << rows) - 1);
  if (layer->bias) {
    const float *bias = (const float *)layer->bias + first;
    sum = _mm512_add_ps(sum, _mm512_maskz_loadu_ps(exist, bias));
  }
  sum = _mm512_max_ps(_mm512_set1_ps(layer->act_min), sum);  // in this order NaN stays NaN
  sum = _mm512_min_ps(_mm512_set1_ps(layer->act_max), sum);
  _mm512_mask_storeu_ps(output + first, exist, sum);
}

INLINE void run(const spk_args *args, const int shared) {
  const spk_layer *layer = args->layer;
  const spk_windows_view view = spk_windows_view_of(args->packed);
  for (int32_t b = 0; b < layer->window.batch; ++b) {
    const float *input = spk_windows_input(args, &kSpkWindowsF32Avx512, b);
    float *output = (float *)args->output + (size_t)b * layer->window.out_c;
    for (int32_t group = args->begin; group < args->end; ++group)
      finish(layer, group, group_sum(&view, group, input, shared), output);
  }
}

TARGET void spk_fully_connected_f32_windows__avx512(const spk_args *args) {
  const spk_windows_header *header = args->packed;
  if (header->shape.align == header->shape.width) {
    run(args, 1);
  } else {
    run(args, 0);
  }
}
