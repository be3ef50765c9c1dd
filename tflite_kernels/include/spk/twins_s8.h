// Inputs in two orders, so that many pairs of weights that are not zero find theirs side by
// side, in one word.
//
// Both orders lie behind each other, each as long as the columns filled up to a multiple of
// four. The first one has columns 0, 2, 1, 3 of every four, as SXTB16 takes them out of a word,
// the second 1, 0, 3, 2. A column has four neighbours: those of its four but one, and one of
// the next four or of the four before.
#ifndef SPK_TWINS_S8_H_
#define SPK_TWINS_S8_H_

#include "spk/requantize_s8.h"
#include "spk/widen_s8.h"

// Places of one order.
#define SPK_TWINS_WIDTH(cols) (((cols) + 3) / 4 * 4)

enum { SPK_TWINS_MOST_COLUMNS = 32768 };  // a place has 16 bits

// The column at a place, which may be filled up.
SPK_INLINE int32_t spk_twins_column(int32_t place, int32_t width) {
  static const int8_t order[2][4] = {{0, 2, 1, 3}, {1, 0, 3, 2}};
  const int32_t second = place >= width, at = second ? place - width : place;
  return at / 4 * 4 + order[second][at % 4];
}

// The place of a column in order 0 or 1.
SPK_INLINE int32_t spk_twins_place(int32_t column, int32_t width, int32_t order) {
  static const int8_t place[2][4] = {{0, 2, 1, 3}, {1, 0, 3, 2}};
  return order * width + column / 4 * 4 + place[order][column % 4];
}

// wide[2 * SPK_TWINS_WIDTH(cols)] = the inputs in both orders, widened, columns filled up with
// 0.
SPK_INLINE void spk_twins_widen_s8(const int8_t *restrict input, int32_t cols,
                                   int16_t *restrict wide) {
  const int32_t width = SPK_TWINS_WIDTH(cols);
  int32_t c = 0;
#ifdef SPK_DSP
  int16_t *restrict second = wide + width;
  for (; c + 4 <= cols; c += 4, wide += 4, second += 4) {
    uint32_t bytes, even, odd, low, high;
    memcpy(&bytes, input + c, 4);
    __asm__(
        "sxtb16 %0, %4\n\t"
        "sxtb16 %1, %4, ror #8\n\t"
        "pkhbt %2, %1, %0, lsl #16\n\t"
        "pkhtb %3, %0, %1, asr #16"
        : "=&r"(even), "=&r"(odd), "=&r"(low), "=&r"(high)
        : "r"(bytes));
    const uint32_t words[2][2] = {{even, odd}, {low, high}};
    memcpy(wide, words[0], 8);
    memcpy(second, words[1], 8);
  }
  wide -= c;
#endif
  for (; c < width; ++c) {
    const int16_t value = c < cols ? input[c] : 0;
    wide[spk_twins_place(c, width, 0)] = wide[spk_twins_place(c, width, 1)] = value;
  }
}

#endif  // SPK_TWINS_S8_H_
