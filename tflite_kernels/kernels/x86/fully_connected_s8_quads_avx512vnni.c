// Sparse int8 FULLY_CONNECTED in 1x4 blocks: sixteen rows, windows of 32 quads, vpermi2d and
// vpdpbusd.
#include "kernels/x86/inputs_s8.h"
#include "kernels/x86/kernels_x86.h"
#include "kernels/x86/rows_s8.h"
#include "kernels/x86/windows_x86.h"

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,avx2")))

typedef struct window_zmm {
  __m512i low, high;
} window_zmm;

TARGET static inline window_zmm window_at(const uint8_t *x) {
  return (window_zmm){_mm512_loadu_si512(x), _mm512_loadu_si512(x + 64)};
}

TARGET static inline __m512i index_at(const uint8_t *index) {
  return _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)(const void *)index));
}

#define VECTOR                __m512i
#define LANES                 16
#define SHAPE                 kSpkWindowsQuadsAvx512
#define WINDOW                window_zmm
#define WINDOW_AT             window_at
#define INDEX_BYTES           16
#define INDEX                 index_at
#define LOOKUP(window, index) _mm512_permutex2var_epi32((window).low, index, (window).high)
#define DOT                   _mm512_dpbusd_epi32
#define LOAD                  _mm512_loadu_si512
#define ZERO                  _mm512_setzero_si512
#define ADD                   _mm512_add_epi32
#define ROWS                  spk_rows_avx512
#define ROWS_OF               spk_rows_of_avx512
#define FINISH                spk_finish_rows_avx512
#define INPUT_BIAS            128
#define FLIP                  0x80
#define NAME(x)               x##_zmm
#include "kernels/x86/fully_connected_s8_runs_template.h"

void spk_fully_connected_s8_quads__avx512vnni(const spk_args *args) { run_zmm(args); }
