// Sparse int8 FULLY_CONNECTED: sixteen rows, windows of 128 inputs, vpermi2b and vpdpbusd,
// which takes the inputs as x + 128.
#include <immintrin.h>

#include "kernels/x86/kernels_x86.h"
#include "kernels/x86/requantize.h"
#include "kernels/x86/windows_x86.h"

#define TARGET     __attribute__((target("avx512f,avx512bw,avx512vnni,avx512vbmi,avx2")))
#define INPUT_BIAS 128

TARGET static inline __m512i lookup(const int8_t *x, const uint8_t *index) {
  return _mm512_permutex2var_epi8(_mm512_loadu_si512(x), _mm512_loadu_si512(index),
                                  _mm512_loadu_si512(x + 64));
}

TARGET static inline __m512i dot(__m512i sum, __m512i x, __m512i weights) {
  return _mm512_dpbusd_epi32(sum, _mm512_xor_si512(x, _mm512_set1_epi8((char)0x80)), weights);
}

#define VECTOR     __m512i
#define LANES      16
#define SHAPE      kSpkWindowsS8Avx512
#define LOOKUP     lookup
#define DOT        dot
#define LOAD       _mm512_loadu_si512
#define STORE32    _mm512_storeu_si512
#define ZERO       _mm512_setzero_si512
#define ADD        _mm512_add_epi32
#define SET32      _mm512_set1_epi32
#define MIN32      _mm512_min_epi32
#define MAX32      _mm512_max_epi32
#define FACTORS    spk_once_avx512
#define REQUANTIZE spk_requantize_once_avx512
#define NAME(x)    x##_zmm
#include "kernels/x86/fully_connected_s8_windows_template.h"

void spk_fully_connected_s8_windows__avx512vbmi(const spk_args *args) { run_zmm(args); }
