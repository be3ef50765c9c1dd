// What the templates of int8 blocks need for zmm registers with AVX512-VNNI.
#ifndef SPK_KERNELS_X86_CONV2D_S8_BLOCKS_ZMM_H_
#define SPK_KERNELS_X86_CONV2D_S8_BLOCKS_ZMM_H_

#include <immintrin.h>

#include "formats/blocks4_s8.h"
#include "kernels/x86/planar_fours_s8.h"
#include "kernels/x86/requantize.h"

#define TARGET __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,avx2")))

TARGET static inline __m512i interleave(__m512i words) {
  const __m128i order = _mm_setr_epi8(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return _mm512_shuffle_epi8(words, _mm512_broadcast_i32x4(order));
}

// As an instruction, so that the compiler cannot copy the sums around it, as gcc 12 does.
#define DOT(sum, x, weights) __asm__("vpdpbusd %2, %1, %0" : "+v"(sum) : "v"(x), "v"(weights))

// One broadcast, not one for each vector.
TARGET static inline __m512i broadcast(const uint32_t *words) {
  __m512i weights = _mm512_set1_epi32((int32_t)words[0]);
  __asm__("" : "+v"(weights));
  return weights;
}

#define VECTOR     __m512i
#define BROADCAST  broadcast
#define BYTES      64
#define LOAD       _mm512_loadu_si512
#define STORE      _mm512_store_si512
#define SET32      _mm512_set1_epi32
#define SET64      _mm512_set1_epi64
#define SET8       _mm512_set1_epi8
#define PACKS32    _mm512_packs_epi32
#define PACKS16    _mm512_packs_epi16
#define PACKU16    _mm512_packus_epi16
#define MIN8       _mm512_min_epi8
#define MAX8       _mm512_max_epi8
#define MAXU8      _mm512_max_epu8
#define MINU8      _mm512_min_epu8
#define INTERLEAVE interleave
#define ISA        avx512
#define NAME(x)    x##_zmm
#include "kernels/x86/channels_s8_template.h"
#include "kernels/x86/conv2d_s8_blocks_template.h"

#endif  // SPK_KERNELS_X86_CONV2D_S8_BLOCKS_ZMM_H_
