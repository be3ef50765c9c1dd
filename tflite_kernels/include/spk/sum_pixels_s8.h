// Sums over the pixels of a window, for cores with the DSP extension: four channels at a time.
#ifndef SPK_SUM_PIXELS_S8_H_
#define SPK_SUM_PIXELS_S8_H_

#include <string.h>

#include "spk/armv7em.h"

#if SPK_ARMV7EM

// 255 numbers of int8 fit a halfword.
enum { SPK_SUM_RUN = 255 };

SPK_INLINE uint32_t spk_add_even(uint32_t sums, uint32_t bytes) {
  __asm__("sxtab16 %0, %0, %1" : "+r"(sums) : "r"(bytes));
  return sums;
}

SPK_INLINE uint32_t spk_add_odd(uint32_t sums, uint32_t bytes) {
  __asm__("sxtab16 %0, %0, %1, ror #8" : "+r"(sums) : "r"(bytes));
  return sums;
}

// sum[] += four neighbouring channels over `rows` x `cols` pixels, at most SPK_SUM_RUN of them,
// which are `row` and `step` bytes apart.
SPK_INLINE void spk_sum_four_s8(const int8_t *from, int32_t rows, int32_t row, int32_t cols,
                                int32_t step, int32_t sum[4]) {
  uint32_t even = 0, odd = 0;
  for (int32_t y = 0; y < rows; ++y, from += row) {
    const int8_t *at = from;
    for (int32_t x = 0; x < cols; ++x, at += step) {
      uint32_t bytes;
      memcpy(&bytes, at, sizeof(bytes));
      even = spk_add_even(even, bytes);
      odd = spk_add_odd(odd, bytes);
    }
  }
  sum[0] += (int16_t)even;
  sum[1] += (int16_t)odd;
  sum[2] += (int32_t)even >> 16;
  sum[3] += (int32_t)odd >> 16;
}

// The same of one channel.
SPK_INLINE int32_t spk_sum_one_s8(const int8_t *from, int32_t rows, int32_t row, int32_t cols,
                                  int32_t step) {
  int32_t sum = 0;
  for (int32_t y = 0; y < rows; ++y, from += row)
    for (int32_t x = 0; x < cols; ++x) sum += from[x * step];
  return sum;
}

#endif

#endif  // SPK_SUM_PIXELS_S8_H_
