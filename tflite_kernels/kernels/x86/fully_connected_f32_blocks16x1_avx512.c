// Sparse float32 FULLY_CONNECTED: sixteen rows share their columns, one zmm register a block.
#include <immintrin.h>
#include <string.h>

#include "kernels/portable/row_blocks_f32.h"
#include "kernels/x86/kernels_x86.h"

#define TARGET      __attribute__((target("avx512f,avx2,fma,popcnt")))
#define VECTOR      __m512
#define LANES       16
#define HEIGHT      16
#define PARTS       1
#define MOST_INPUTS 8
#define FEW_PERCENT 30
#define LOAD        _mm512_loadu_ps
#define STORE       _mm512_storeu_ps
#define SET1        _mm512_set1_ps
#define FMA         _mm512_fmadd_ps
#define ADD         _mm512_add_ps
#define MIN         _mm512_min_ps
#define MAX         _mm512_max_ps
#define LIVE(x)     _mm512_cmp_ps_mask(x, _mm512_setzero_ps(), _CMP_NEQ_UQ)
#define NAME(x)     x##_avx512

TARGET static int32_t list_live_avx512(const float *input, int32_t cols, uint32_t *live) {
  const __m512i first = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  int32_t count = 0;
  for (int32_t c = 0; c < cols; c += LANES) {
    const int32_t rest = cols - c;
    const __mmask16 exist = (__mmask16)(rest < LANES ? (1 << rest) - 1 : 0xffff);
    const __mmask16 bits = LIVE(_mm512_maskz_loadu_ps(exist, input + c));
    const __m512i columns = _mm512_add_epi32(first, _mm512_set1_epi32(c));
    _mm512_mask_compressstoreu_epi32(live + count, bits, columns);
    count += __builtin_popcount(bits);
  }
  return count;
}

#include "kernels/fully_connected_f32_blocks_template.h"

void spk_fully_connected_f32_blocks16x1__avx512(const spk_args *args) { run_avx512(args); }
