// Dense int8 DEPTHWISE_CONV_2D: sixteen channels a vector, sixty-four at a time; vpdpbusd takes
// the inputs as x + 128.
#include "kernels/x86/depthwise_ends_s8.h"
#include "kernels/x86/depthwise_s8.h"
#include "kernels/x86/kernels_x86.h"

#define TARGET \
  __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512vbmi,avx2")))

typedef struct pair {
  __m512i low, high;  // of the channels
} pair;

// 16-bit lanes: both pixels of a channel.
TARGET static inline pair pair_of(const int8_t *x0, const int8_t *x1, int32_t channels) {
  const __m512i order = _mm512_set_epi8(
      95, 31, 94, 30, 93, 29, 92, 28, 91, 27, 90, 26, 89, 25, 88, 24, 87, 23, 86, 22, 85, 21,
      84, 20, 83, 19, 82, 18, 81, 17, 80, 16, 79, 15, 78, 14, 77, 13, 76, 12, 75, 11, 74, 10,
      73, 9, 72, 8, 71, 7, 70, 6, 69, 5, 68, 4, 67, 3, 66, 2, 65, 1, 64, 0);
  const __m512i flip = _mm512_set1_epi8((char)0x80);
  const __mmask64 exist = ~UINT64_C(0) >> (64 - channels);
  const __m512i a = _mm512_xor_si512(_mm512_maskz_loadu_epi8(exist, x0), flip);
  const __m512i b = _mm512_xor_si512(_mm512_maskz_loadu_epi8(exist, x1), flip);
  return (pair){
      _mm512_permutex2var_epi8(a, order, b),
      _mm512_permutex2var_epi8(a, _mm512_add_epi8(order, _mm512_set1_epi8(32)), b),
  };
}

TARGET static inline void store_quads(pair left, pair right, uint8_t *to, int32_t groups) {
  const __m512i low =
      _mm512_set_epi16(47, 15, 46, 14, 45, 13, 44, 12, 43, 11, 42, 10, 41, 9, 40, 8, 39, 7, 38,
                       6, 37, 5, 36, 4, 35, 3, 34, 2, 33, 1, 32, 0);
  const __m512i high = _mm512_add_epi16(low, _mm512_set1_epi16(16));
  _mm512_store_si512(to, _mm512_permutex2var_epi16(left.low, low, right.low));
  if (groups > 1)
    _mm512_store_si512(to + 64, _mm512_permutex2var_epi16(left.low, high, right.low));
  if (groups > 2)
    _mm512_store_si512(to + 128, _mm512_permutex2var_epi16(left.high, low, right.high));
  if (groups > 3)
    _mm512_store_si512(to + 192, _mm512_permutex2var_epi16(left.high, high, right.high));
}

TARGET static inline void store_pixels(__m512i bytes, int8_t *to, size_t pitch, int32_t pixels,
                                       int32_t channels) {
  const __m128i pixel[4] = {_mm512_castsi512_si128(bytes), _mm512_extracti32x4_epi32(bytes, 1),
                            _mm512_extracti32x4_epi32(bytes, 2),
                            _mm512_extracti32x4_epi32(bytes, 3)};
  if (pixels >= 4 && channels >= 16) {
    for (size_t k = 0; k < 4; ++k)
      _mm_storeu_si128((__m128i *)(void *)(to + k * pitch), pixel[k]);
    return;
  }
  const __mmask16 exist = (__mmask16)(channels < 16 ? (1u << channels) - 1 : 0xffff);
  _mm_mask_storeu_epi8(to, exist, pixel[0]);
  if (pixels > 1) _mm_mask_storeu_epi8(to + pitch, exist, pixel[1]);
  if (pixels > 2) _mm_mask_storeu_epi8(to + 2 * pitch, exist, pixel[2]);
  if (pixels > 3) _mm_mask_storeu_epi8(to + 3 * pitch, exist, pixel[3]);
}

#define VECTOR      __m512i
#define LANES       16
#define DOT         _mm512_dpbusd_epi32
#define LOAD        _mm512_loadu_si512
#define CHANNELS    spk_channels_avx512
#define CHANNELS_OF spk_channels_of_avx512
#define FINISH      spk_finish_channels_avx512
#define INPUT_BIAS  128
#define FLIP        0x80
#define NAME(x)     x##_zmm
#include "kernels/x86/depthwise_conv2d_s8_template.h"

void spk_depthwise_conv2d_s8_dense__avx512vbmi(const spk_args *args) { run_zmm(args); }
