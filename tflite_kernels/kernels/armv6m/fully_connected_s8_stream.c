// FULLY_CONNECTED, int8, sparse stream, for processors without DSP instructions: about 7
// instructions a pair on a Cortex-M0, 5 on a Cortex-M3.
//
// Inputs stay int8, their offset is in the bias. Pairs are in a straight line that a jump
// enters where as many are left as a row has beyond a multiple of the line.
#include <string.h>

#include "spk/kernels_s8.h"
#include "spk/requantize_rows_s8.h"
#include "spk/stream_row_s8.h"

#if defined(__ARM_ARCH_6M__) && defined(__GNUC__)

// p is one byte behind the input, since LDRSB takes no offset but a register, and `one` is one.
#define PAIR(delta, weight)        \
  "ldrb %[v], [%[s], #" delta      \
  "]\n\t"                          \
  "adds %[p], %[p], %[v]\n\t"      \
  "ldrsb %[v], [%[p], %[one]]\n\t" \
  "ldrsb %[w], [%[s], " weight     \
  "]\n\t"                          \
  "muls %[v], %[w], %[v]\n\t"      \
  "adds %[acc], %[acc], %[v]\n\t"
#define TWO_PAIRS   PAIR("0", "%[one]") PAIR("2", "%[three]") "adds %[s], #4\n\t"
#define EIGHT_PAIRS TWO_PAIRS TWO_PAIRS TWO_PAIRS TWO_PAIRS

// acc + the sum of one row, of which *stream leads to the next.
SPK_INLINE int32_t stream_row(const int8_t *x, const uint8_t **stream, int32_t acc) {
  const uint8_t *s = *stream + 2;
  uint16_t pairs;  // aligned to its size
  memcpy(&pairs, __builtin_assume_aligned(*stream, 2), 2);
  uint32_t left = pairs, v;
  const int8_t *p = x - 1;
  if (left & 1) {
    p += s[0];
    acc += p[1] * (int8_t)s[1];
    s += 2;
  }
  uint32_t turns = left >> 4;
  // Two pairs are 26 bytes of code; the target of BX is odd, for Thumb.
  uint32_t w = 26 * (8 - (left >> 1) % 8) + 1;
  __asm__ volatile(
      ".syntax unified\n\t"
      "adr %[v], 10f\n\t"
      "adds %[w], %[w], %[v]\n\t"
      "bx %[w]\n\t"
      ".balign 4\n"
      "10: " EIGHT_PAIRS EIGHT_PAIRS
      "mov %[v], %[turns]\n\t"
      "subs %[v], #1\n\t"
      "mov %[turns], %[v]\n\t"
      "bpl 10b"
      :
      [s] "+l"(s), [p] "+l"(p), [acc] "+l"(acc), [turns] "+h"(turns), [v] "=&l"(v), [w] "+l"(w)
      : [one] "l"(1), [three] "l"(3)
      : "cc", "memory");
  *stream = s;
  return acc;
}

#elif defined(__thumb2__) && !defined(__ARM_FEATURE_DSP) && defined(__GNUC__)

#define PAIR                    \
  "ldrb %[v], [%[s]], #2\n\t"   \
  "ldrsb %[w], [%[s], #-1]\n\t" \
  "add %[p], %[p], %[v]\n\t"    \
  "ldrsb %[v], [%[p]]\n\t"      \
  "mla %[acc], %[v], %[w], %[acc]\n\t"
#define FOUR_PAIRS(a, b, c, d) \
  "\n" #a ": " PAIR "\n" #b ": " PAIR "\n" #c ": " PAIR "\n" #d ": " PAIR
#define ENTRIES(a, b, c, d) \
  ".byte (" #a "f - 9b) / 2, (" #b "f - 9b) / 2, (" #c "f - 9b) / 2, (" #d "f - 9b) / 2\n"

SPK_INLINE int32_t stream_row(const int8_t *x, const uint8_t **stream, int32_t acc) {
  const uint8_t *s = *stream;
  const int8_t *p;
  uint32_t n, v, w;
  __asm__ volatile(
      "ldrh %[n], [%[s]], #2\n\t"
      "mov %[p], %[x]\n\t"
      "and %[v], %[n], #15\n\t"
      "lsr %[n], %[n], #4\n\t"
      "tbb [pc, %[v]]\n"
      "9: " ENTRIES(10, 11, 12, 13) ENTRIES(14, 15, 16, 17) ENTRIES(18, 19, 20, 21)
      ENTRIES(22, 23, 24, 25)
      FOUR_PAIRS(26, 25, 24, 23) FOUR_PAIRS(22, 21, 20, 19)
      FOUR_PAIRS(18, 17, 16, 15) FOUR_PAIRS(14, 13, 12, 11)
      "\n10: subs %[n], %[n], #1\n\t"
      "bpl 26b"
      : [s] "+r"(s), [p] "=&r"(p), [acc] "+r"(acc), [n] "=&r"(n), [v] "=&r"(v), [w] "=&r"(w)
      : [x] "r"(x)
      : "cc", "memory");
  *stream = s;
  return acc;
}

#else
#define stream_row spk_stream_row_s8
#endif

void spk_fully_connected_s8_stream__armv6m(int32_t batch, int32_t rows, int32_t cols,
                                           const spk_requant *q, const int8_t *input,
                                           const uint8_t *stream, const int32_t *bias,
                                           int8_t *output) {
  for (int32_t b = 0; b < batch; ++b, input += cols, output += rows) {
    const uint8_t *row = stream;
    for (int32_t first = 0; first < rows; first += SPK_ROWS_AT_ONCE) {
      const int32_t left = rows - first;
      const int32_t count = left < SPK_ROWS_AT_ONCE ? left : SPK_ROWS_AT_ONCE;
      int32_t sums[SPK_ROWS_AT_ONCE];
      for (int32_t i = 0; i < count; ++i) sums[i] = stream_row(input, &row, bias[first + i]);
      spk_requantize_rows_once_s8(sums, first, count, q, output);
    }
  }
}
