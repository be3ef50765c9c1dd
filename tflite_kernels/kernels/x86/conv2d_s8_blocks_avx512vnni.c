// int8 CONV_2D by blocks, 16 output pixels in a zmm register, AVX512-VNNI.
#include <immintrin.h>

#include "formats/blocks4_s8.h"
#include "kernels/x86/kernels_x86.h"
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
#define WEIGHTS    __m512i
#define WORDS      1
#define BROADCAST  broadcast
#define BYTES      64
#define LOAD       _mm512_loadu_si512
#define STORE      _mm512_store_si512
#define SET32      _mm512_set1_epi32
#define SET64      _mm512_set1_epi64
#define SET8       _mm512_set1_epi8
#define PACKS32    _mm512_packs_epi32
#define PACKS16    _mm512_packs_epi16
#define MIN8       _mm512_min_epi8
#define MAX8       _mm512_max_epi8
#define INTERLEAVE interleave
#define ISA        avx512
#define NAME(x)    x##_zmm
#include "kernels/x86/channels_s8_template.h"
#include "kernels/x86/conv2d_s8_blocks_template.h"

COMPUTE(1, 1)
COMPUTE(1, 4)
COMPUTE(1, 8)
COMPUTE(2, 1)
COMPUTE(2, 2)
COMPUTE(2, 4)
COMPUTE(2, 6)
COMPUTE(4, 1)
COMPUTE(4, 2)
COMPUTE(4, 4)
COMPUTE(4, 6)

static void compute1x4(const spk_args *args, const void *planes, int32_t pixels, int32_t begin,
                       int32_t end, void *tile) {
  if (pixels == 128)
    compute1x8_zmm(args->packed, planes, pixels, begin, end, tile);
  else if (pixels == 64)
    compute1x4_zmm(args->packed, planes, pixels, begin, end, tile);
  else
    compute1x1_zmm(args->packed, planes, pixels, begin, end, tile);
}

static void compute2x4(const spk_args *args, const void *planes, int32_t pixels, int32_t begin,
                       int32_t end, void *tile) {
  if (pixels == 96)
    compute2x6_zmm(args->packed, planes, pixels, begin, end, tile);
  else if (pixels == 64)
    compute2x4_zmm(args->packed, planes, pixels, begin, end, tile);
  else if (pixels == 32)
    compute2x2_zmm(args->packed, planes, pixels, begin, end, tile);
  else
    compute2x1_zmm(args->packed, planes, pixels, begin, end, tile);
}

static void compute4x4(const spk_args *args, const void *planes, int32_t pixels, int32_t begin,
                       int32_t end, void *tile) {
  if (pixels == 96)
    compute4x6_zmm(args->packed, planes, pixels, begin, end, tile);
  else if (pixels == 64)
    compute4x4_zmm(args->packed, planes, pixels, begin, end, tile);
  else if (pixels == 32)
    compute4x2_zmm(args->packed, planes, pixels, begin, end, tile);
  else
    compute4x1_zmm(args->packed, planes, pixels, begin, end, tile);
}

void spk_conv2d_s8_blocks1x4__avx512vnni(const spk_args *args) {
  static const spk_planar_kernel kernel = {.tiles = {128, 64, 16, 0},
                                           .pack = spk_planar_fours_s8_pack_avx512,
                                           .compute = compute1x4,
                                           .store = spk_planar_fours_s8_store_avx512};
  spk_planar_fours_s8_run(args, &kernel, WORDS);
}

void spk_conv2d_s8_blocks2x4__avx512vnni(const spk_args *args) {
  static const spk_planar_kernel kernel = {.tiles = {96, 64, 32, 16, 0},
                                           .pack = spk_planar_fours_s8_pack_avx512,
                                           .compute = compute2x4,
                                           .store = spk_planar_fours_s8_store_avx512};
  spk_planar_fours_s8_run(args, &kernel, WORDS);
}

void spk_conv2d_s8_blocks4x4__avx512vnni(const spk_args *args) {
  static const spk_planar_kernel kernel = {.tiles = {96, 64, 32, 16, 0},
                                           .pack = spk_planar_fours_s8_pack_avx512,
                                           .compute = compute4x4,
                                           .store = spk_planar_fours_s8_store_avx512};
  spk_planar_fours_s8_run(args, &kernel, WORDS);
}
