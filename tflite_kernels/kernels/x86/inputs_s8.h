// The inputs of int8 FULLY_CONNECTED kernels: copied, so that windows and blocks may end beyond
// them and start at whole cache lines; vpdpbusd takes them as x + 128.
#ifndef SPK_KERNELS_X86_INPUTS_S8_H_
#define SPK_KERNELS_X86_INPUTS_S8_H_

#include <immintrin.h>
#include <stdint.h>

// Bytes of one image in scratch: its last window, of 128 inputs, may start at its last input.
static inline size_t spk_inputs_pitch(int32_t cols) {
  return ((size_t)cols + 63) / 64 * 64 + 128;
}

// Copies `cols` inputs and fills the rest up; `flip` is 0x80 to add 128, or 0.
__attribute__((target("avx2"))) static inline void spk_copy_inputs(const int8_t *input,
                                                                   int32_t cols, int flip,
                                                                   uint8_t *to) {
  const __m256i flips = _mm256_set1_epi8((char)flip);
  const size_t pitch = spk_inputs_pitch(cols), whole = (size_t)cols / 32 * 32;
  size_t c = 0;
  for (; c < whole; c += 32)
    _mm256_store_si256(
        (__m256i *)(void *)(to + c),
        _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)(const void *)(input + c)),
                         flips));
  for (; c < (size_t)cols; ++c) to[c] = (uint8_t)(input[c] ^ flip);
  for (; c < pitch; ++c) to[c] = 0;
}

#endif  // SPK_KERNELS_X86_INPUTS_S8_H_
