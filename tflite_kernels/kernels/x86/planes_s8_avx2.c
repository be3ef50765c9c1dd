// int8 operators on planes with ymm registers, AVX2 without VNNI.
//
// A dot product of four bytes takes five instructions here, and a column of the window leaves
// one of them empty. So windows are multiplied as pairs of int16: the upper two rows of each
// column, and the lower row of two columns, five multiplications for nine taps; compare
// depthwise_pairs_s8.h.
#include "kernels/x86/conv2d_s8_blocks_avx2.h"
#include "kernels/x86/planes_s8_ymm.h"

// In lane 4 k + i there are, of channel i, the upper rows at pixel 4 k + j, or the lower row at
// the pixels 4 k + 2 j and 4 k + 2 j + 1.
typedef struct column {
  __m256i upper[4], lower[2];
} column;

// Of windows that begin at an even and at an odd pixel, whose three columns lie in two pairs.
typedef struct taps {
  __m256i upper[3], lower[2][2];
} taps;

INLINE column column_at(const uint8_t *from, size_t row) {
  const __m256i a = LOAD(from), b = LOAD(from + row), c = LOAD(from + 2 * row);
  const __m256i zero = _mm256_setzero_si256();
  const __m256i low = UNPACKLO8(a, b), high = UNPACKHI8(a, b);
  const __m256i left = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(0, -1, 4, -1, 1, -1, 5, -1, 2, -1, 6, -1, 3, -1, 7, -1));
  const __m256i right = _mm256_broadcastsi128_si256(
      _mm_setr_epi8(8, -1, 12, -1, 9, -1, 13, -1, 10, -1, 14, -1, 11, -1, 15, -1));
  return (column){{UNPACKLO8(low, zero), UNPACKHI8(low, zero), UNPACKLO8(high, zero),
                   UNPACKHI8(high, zero)},
                  {_mm256_shuffle_epi8(c, left), _mm256_shuffle_epi8(c, right)}};
}

INLINE taps taps_of(const spk_planes_taps_s8 *plane) {
  taps t;
  __m256i last[3];  // the weight of the lower row and a zero
#pragma GCC unroll 3
  for (int k = 0; k < 3; ++k) {
    const __m256i wide = _mm256_cvtepi8_epi16(_mm_loadu_si128((const void *)plane->weights[k]));
    t.upper[k] = _mm256_permutevar8x32_epi32(wide, _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6));
    last[k] = _mm256_permutevar8x32_epi32(wide, _mm256_setr_epi32(1, 3, 5, 7, 1, 3, 5, 7));
  }
  t.lower[0][0] = _mm256_or_si256(last[0], _mm256_slli_epi32(last[1], 16));
  t.lower[0][1] = last[2];
  t.lower[1][0] = _mm256_slli_epi32(last[0], 16);
  t.lower[1][1] = _mm256_or_si256(last[1], _mm256_slli_epi32(last[2], 16));
  return t;
}

INLINE __m256i sum_at(const taps *weights, const column *here, const column *next, const int j,
                      __m256i first) {
  __m256i sum = first;
#pragma GCC unroll 3
  for (int i = j; i < j + 3; ++i) {
    const __m256i pairs = i < 4 ? here->upper[i] : NEXT(here->upper[i - 4], next->upper[i - 4]);
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, weights->upper[i - j]));
  }
#pragma GCC unroll 2
  for (int i = j / 2; i < j / 2 + 2; ++i) {
    const __m256i pairs = i < 2 ? here->lower[i] : NEXT(here->lower[i - 2], next->lower[i - 2]);
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, weights->lower[j % 2][i - j / 2]));
  }
  return sum;
}

#define PAIRS(first, x, weights) _mm256_add_epi32(first, _mm256_madd_epi16(x, weights))
#define MOST1                    8
#define MOST2                    4
#define MOST4                    2
#include "kernels/x86/planes_s8_template.h"

const spk_planes_kernels spk_planes_s8_avx2 = {
    .isa = "avx2",
    .channels = kSpkFour,
    .splits = 1,
    .pack = spk_planar_fours_s8_pack_pixels,
    .store = spk_planes_s8_store_avx2,
    .conv2d = conv2d,
    .depthwise = depthwise,
    .depthwise2 = depthwise2,
    .add = add,
};
