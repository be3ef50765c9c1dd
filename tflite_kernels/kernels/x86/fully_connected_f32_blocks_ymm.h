// The vector operations of fully_connected_f32_blocks_template.h for ymm registers; the
// including file defines HEIGHT and PARTS.
#include <immintrin.h>
#include <string.h>

#include "kernels/portable/row_blocks_f32.h"
#include "kernels/x86/kernels_x86.h"

#define TARGET      __attribute__((target("avx2,fma,popcnt")))
#define VECTOR      __m256
#define LANES       8
#define MOST_INPUTS (8 / PARTS)
#define FEW_PERCENT 15
#define LOAD        _mm256_loadu_ps
#define STORE       _mm256_storeu_ps
#define SET1        _mm256_set1_ps
#define FMA         _mm256_fmadd_ps
#define ADD         _mm256_add_ps
#define MIN         _mm256_min_ps
#define MAX         _mm256_max_ps
#define LIVE(x)     (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(x, SET1(0.0f), _CMP_NEQ_UQ))
#define NAME(x)     x##_avx2

// Without branches, which would be mispredicted.
static int32_t list_live_avx2(const float *input, int32_t cols, uint32_t *live) {
  int32_t count = 0;
  for (int32_t c = 0; c < cols; ++c) {
    live[count] = (uint32_t)c;
    count += input[c] != 0.0f;
  }
  return count;
}

#include "kernels/fully_connected_f32_blocks_template.h"
