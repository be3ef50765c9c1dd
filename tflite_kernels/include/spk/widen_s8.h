// int8 inputs widened to int16 once, for kernels that multiply two pairs at a time.
//
// SXTB16 takes bytes 0 and 2 of a word, and bytes 1 and 3 after a rotation: weights come out
// in the order 0, 2, 1, 3 of every four, and so the inputs are kept in that order.
#ifndef SPK_WIDEN_S8_H_
#define SPK_WIDEN_S8_H_

#include <string.h>

#include "spk/requantize_s8.h"

// How many values spk_widen_s8 writes for so many inputs.
#define SPK_WIDENED(cols) (((cols) + 3) / 4 * 4)

#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
#define SPK_DSP 1
#endif

#ifdef SPK_DSP
// Both sums of a halfword of `offsets` and a byte of `bytes`: 0 and 2, or 1 and 3.
SPK_INLINE uint32_t spk_add_even_bytes(uint32_t offsets, uint32_t bytes) {
  uint32_t sums;
  __asm__("sxtab16 %0, %1, %2" : "=r"(sums) : "r"(offsets), "r"(bytes));
  return sums;
}

SPK_INLINE uint32_t spk_add_odd_bytes(uint32_t offsets, uint32_t bytes) {
  uint32_t sums;
  __asm__("sxtab16 %0, %1, %2, ror #8" : "=r"(sums) : "r"(offsets), "r"(bytes));
  return sums;
}
#endif

#ifdef SPK_DSP
#define SPK_WIDEN_FOUR                             \
  "ldr %[odd], [%[input]], #4\n\t"                 \
  "sxtab16 %[even], %[offsets], %[odd]\n\t"        \
  "sxtab16 %[odd], %[offsets], %[odd], ror #8\n\t" \
  "strd %[even], %[odd], [%[wide]], #8\n\t"
#endif

// wide[] = input[] + offset, by fours in the order 0, 2, 1, 3; the last four filled up with 0.
SPK_INLINE void spk_widen_s8(const int8_t *restrict input, int32_t cols, int32_t offset,
                             int16_t *restrict wide) {
  int32_t left = cols;
#ifdef SPK_DSP
  const uint32_t offsets = ((uint32_t)offset & 0xffff) * 0x10001;
  for (; left >= 16; left -= 16) {  // GCC takes up to twice the instructions
    uint32_t even, odd;
    __asm__ volatile(
        SPK_WIDEN_FOUR SPK_WIDEN_FOUR SPK_WIDEN_FOUR SPK_WIDEN_FOUR
        : [input] "+r"(input), [wide] "+r"(wide), [even] "=&r"(even), [odd] "=&r"(odd)
        : [offsets] "r"(offsets)
        : "memory");
  }
  for (; left >= 4; left -= 4, input += 4, wide += 4) {
    uint32_t bytes;
    memcpy(&bytes, input, 4);
    const uint32_t sums[2] = {spk_add_even_bytes(offsets, bytes),
                              spk_add_odd_bytes(offsets, bytes)};
    memcpy(wide, sums, 8);
  }
#endif
  static const int8_t place[4] = {0, 2, 1, 3};
  for (; left > 0; left -= 4, input += 4, wide += 4) {
    for (int32_t i = 0; i < 4; ++i) {
      wide[place[i]] = (int16_t)(i < left ? input[i] + offset : 0);
    }
  }
}

// One sum of four weights and four widened inputs.
SPK_INLINE int32_t spk_dot_widened(const int16_t *wide, const int8_t *weights) {
  return wide[0] * weights[0] + wide[2] * weights[1] + wide[1] * weights[2] +
         wide[3] * weights[3];
}

#endif  // SPK_WIDEN_S8_H_
