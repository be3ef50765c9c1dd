// Sparse int8 FULLY_CONNECTED by look-up, AVX-VNNI: vpdpbusd takes the inputs as x + 128.
#include <immintrin.h>

#include "kernels/x86/kernels_x86.h"
#include "kernels/x86/rows_s8.h"
#include "kernels/x86/windows_x86.h"

#define TARGET     __attribute__((target("avx2,avxvnni")))
#define INPUT_BIAS 128

TARGET static inline __m256i dot(__m256i sum, __m256i x, __m256i weights) {
  return _mm256_dpbusd_avx_epi32(sum, _mm256_xor_si256(x, _mm256_set1_epi8((char)0x80)),
                                 weights);
}

#define DOT dot
#include "kernels/x86/fully_connected_s8_windows_ymm.h"

void spk_fully_connected_s8_windows__avxvnni(const spk_args *args) { run_ymm(args); }
