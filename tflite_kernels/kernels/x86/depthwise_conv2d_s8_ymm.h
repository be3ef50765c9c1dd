// depthwise_conv2d_s8_template.h for ymm registers: eight channels a vector, thirty-two at a
// time; the including file defines TARGET, DOT, INPUT_BIAS and FLIP.
typedef struct pair {
  __m256i low, high;  // halves of both 128-bit lanes: channels 0-7 and 16-23, 8-15 and 24-31
} pair;

TARGET static inline __m256i pixel_of(const int8_t *x, int32_t channels) {
  int8_t few[32] = {0};
  if (channels < 32) x = memcpy(few, x, (size_t)channels);
  return _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)(const void *)x),
                          _mm256_set1_epi8((char)(FLIP)));
}

// 16-bit lanes: both pixels of a channel.
TARGET static inline pair pair_of(const int8_t *x0, const int8_t *x1, int32_t channels) {
  const __m256i a = pixel_of(x0, channels), b = pixel_of(x1, channels);
  return (pair){_mm256_unpacklo_epi8(a, b), _mm256_unpackhi_epi8(a, b)};
}

TARGET static inline void store_quads(pair left, pair right, uint8_t *to, int32_t groups) {
  const __m256i a = _mm256_unpacklo_epi16(left.low, right.low);
  const __m256i b = _mm256_unpackhi_epi16(left.low, right.low);
  const __m256i c = _mm256_unpacklo_epi16(left.high, right.high);
  const __m256i d = _mm256_unpackhi_epi16(left.high, right.high);
  __m256i *vectors = (__m256i *)(void *)to;
  _mm256_store_si256(vectors, _mm256_permute2x128_si256(a, b, 0x20));
  if (groups > 1) _mm256_store_si256(vectors + 1, _mm256_permute2x128_si256(c, d, 0x20));
  if (groups > 2) _mm256_store_si256(vectors + 2, _mm256_permute2x128_si256(a, b, 0x31));
  if (groups > 3) _mm256_store_si256(vectors + 3, _mm256_permute2x128_si256(c, d, 0x31));
}

TARGET static inline void store_pixels(__m256i bytes, int8_t *to, size_t pitch, int32_t pixels,
                                       int32_t channels) {
  const __m128i low = _mm256_castsi256_si128(bytes), high = _mm256_extracti128_si256(bytes, 1);
  const int64_t pixel[4] = {_mm_extract_epi64(low, 0), _mm_extract_epi64(low, 1),
                            _mm_extract_epi64(high, 0), _mm_extract_epi64(high, 1)};
  if (channels >= 8) {
    for (int32_t k = 0; k < 4 && k < pixels; ++k) memcpy(to + k * pitch, &pixel[k], 8);
  } else {
    for (int32_t k = 0; k < 4 && k < pixels; ++k)
      memcpy(to + k * pitch, &pixel[k], (size_t)channels);
  }
}

#define VECTOR      __m256i
#define LANES       8
#define LOAD(p)     _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define CHANNELS    spk_channels_avx2
#define CHANNELS_OF spk_channels_of_avx2
#define FINISH      spk_finish_channels_avx2
#define NAME(x)     x##_ymm
#include "kernels/x86/depthwise_conv2d_s8_template.h"
