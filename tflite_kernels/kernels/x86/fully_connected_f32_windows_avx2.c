// Sparse float32 FULLY_CONNECTED: eight rows, windows of eight inputs, vpermps.
//
// Four steps are in flight, so that their additions do not wait for each other.
#include <immintrin.h>

#include "kernels/x86/kernels_x86.h"
#include "kernels/x86/windows_x86.h"

#define TARGET __attribute__((target("avx2,fma")))

enum { kLanes = 8 };

TARGET static inline __attribute__((always_inline)) __m256
add_step(const spk_windows_view *view, size_t step, const float *input, __m256 sum) {
  const uint8_t *index = view->index + step * kLanes;
  const float *weights = (const float *)(const void *)view->weights + step * kLanes;
  const __m128i bytes = _mm_loadl_epi64((const __m128i *)(const void *)index);
  const __m256 window = _mm256_loadu_ps(input + view->start[step]);
  const __m256 chosen = _mm256_permutevar8x32_ps(window, _mm256_cvtepu8_epi32(bytes));
  return _mm256_fmadd_ps(chosen, _mm256_loadu_ps(weights), sum);
}

TARGET static __m256 group_sum(const spk_windows_view *view, int32_t group,
                               const float *input) {
  __m256 sum[4] = {_mm256_setzero_ps(), _mm256_setzero_ps(), _mm256_setzero_ps(),
                   _mm256_setzero_ps()};
  const size_t end = view->first_step[group + 1];
  size_t step = view->first_step[group];
  for (; step + 4 <= end; step += 4) {
    sum[0] = add_step(view, step, input, sum[0]);
    sum[1] = add_step(view, step + 1, input, sum[1]);
    sum[2] = add_step(view, step + 2, input, sum[2]);
    sum[3] = add_step(view, step + 3, input, sum[3]);
  }
  for (; step < end; ++step) sum[0] = add_step(view, step, input, sum[0]);
  return _mm256_add_ps(_mm256_add_ps(sum[0], sum[1]), _mm256_add_ps(sum[2], sum[3]));
}

// In this order NaN stays NaN.
TARGET static inline __m256 clamp(const spk_layer *layer, __m256 sum) {
  sum = _mm256_max_ps(_mm256_set1_ps(layer->act_min), sum);
  return _mm256_min_ps(_mm256_set1_ps(layer->act_max), sum);
}

// Adds the bias and clamps the rows of a group that exist.
TARGET static inline void finish(const spk_layer *layer, int32_t group, __m256 sum,
                                 float *output) {
  const int32_t first = group * kLanes;
  const int32_t rows = spk_windows_rows(layer, &kSpkWindowsF32Avx2, group);
  const float *bias = layer->bias ? (const float *)layer->bias + first : NULL;
  if (rows == kLanes) {
    if (bias) sum = _mm256_add_ps(sum, _mm256_loadu_ps(bias));
    _mm256_storeu_ps(output + first, clamp(layer, sum));
    return;
  }
  float few[kLanes] = {0};
  if (bias) memcpy(few, bias, (size_t)rows * sizeof(float));
  _mm256_storeu_ps(few, clamp(layer, _mm256_add_ps(sum, _mm256_loadu_ps(few))));
  memcpy(output + first, few, (size_t)rows * sizeof(float));
}

TARGET void spk_fully_connected_f32_windows__avx2(const spk_args *args) {
  const spk_layer *layer = args->layer;
  const spk_windows_view view = spk_windows_view_of(args->packed);
  for (int32_t b = 0; b < layer->window.batch; ++b) {
    const float *input = spk_windows_input(args, &kSpkWindowsF32Avx2, b);
    float *output = (float *)args->output + (size_t)b * layer->window.out_c;
    for (int32_t group = args->begin; group < args->end; ++group)
      finish(layer, group, group_sum(&view, group, input), output);
  }
}
