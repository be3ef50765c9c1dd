// Sparse int8 CONV_2D, output pixels in the lanes of ymm registers, AVX2 without VNNI.
//
// Two input planes are interleaved and widened to int16 for vpmaddwd, which is exact;
// vpmaddubsw is not, it saturates at 2 * 255 * 127.
#include <immintrin.h>

#include "formats/tuples_s8.h"
#include "kernels/x86/kernels_x86.h"
#include "kernels/x86/planar_s8.h"
#include "kernels/x86/requantize.h"

#define TARGET __attribute__((target("avx2")))

// 32 pixels: sum[i] holds pixels 8 i ... 8 i + 7.
TARGET static inline void row(const uint32_t *pair, uint32_t count, const uint8_t *planes,
                              __m256i *sum) {
  for (uint32_t i = 0; i < count; ++i, pair += 3) {
    const __m256i weights = _mm256_set1_epi32((int32_t)pair[2]);
    for (int half = 0; half < 2; ++half) {
      const __m128i a = _mm_loadu_si128((const __m128i *)(planes + pair[0] + 16 * half));
      const __m128i b = _mm_loadu_si128((const __m128i *)(planes + pair[1] + 16 * half));
      const __m256i low = _mm256_cvtepu8_epi16(_mm_unpacklo_epi8(a, b));
      const __m256i high = _mm256_cvtepu8_epi16(_mm_unpackhi_epi8(a, b));
      sum[2 * half] = _mm256_add_epi32(sum[2 * half], _mm256_madd_epi16(low, weights));
      sum[2 * half + 1] = _mm256_add_epi32(sum[2 * half + 1], _mm256_madd_epi16(high, weights));
    }
  }
}

// Packs four vectors of sums to 32 bytes in the order of the pixels.
TARGET static inline __m256i narrow(const __m256i *sum, const spk_factors_avx2 *factors) {
  const __m256i left = _mm256_packs_epi32(spk_requantize_avx2(sum[0], factors),
                                          spk_requantize_avx2(sum[1], factors));
  const __m256i right = _mm256_packs_epi32(spk_requantize_avx2(sum[2], factors),
                                           spk_requantize_avx2(sum[3], factors));
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  return _mm256_permutevar8x32_epi32(_mm256_packs_epi16(left, right), order);
}

TARGET static void compute(const spk_args *args, const void *planes, int32_t pixels,
                           int32_t begin, int32_t end, void *tile) {
  const spk_requant *q = &args->layer->requant;
  const uint32_t *start = spk_tuples_s8_start(args->packed);
  const uint32_t *pairs = spk_tuples_s8_tuples(args->packed, args->layer->window.out_c);
  const __m256i low = _mm256_set1_epi8((char)q->act_min);
  const __m256i high = _mm256_set1_epi8((char)q->act_max);
  for (int32_t o = begin; o < end; ++o) {
    const spk_factors_avx2 factors = spk_channel_factors_avx2(q, o);
    const __m256i first = _mm256_set1_epi32(spk_planar_s8_first(args, o));
    uint8_t *to = (uint8_t *)tile + (size_t)(o - begin) * kSpkMaxTile;
    for (int32_t p = 0; p < pixels; p += 32) {
      __m256i sum[4] = {first, first, first, first};
      row(pairs + (size_t)start[o] * 3, start[o + 1] - start[o], (const uint8_t *)planes + p,
          sum);
      const __m256i result = _mm256_min_epi8(high, _mm256_max_epi8(low, narrow(sum, &factors)));
      _mm256_store_si256((__m256i *)(void *)(to + p), result);
    }
  }
}

void spk_conv2d_s8_pairs__avx2(const spk_args *args) {
  static const spk_planar_kernel kernel = {.tiles = {32, 0}, .compute = compute};
  spk_planar_s8_run(args, &kernel);
}
