// Rows of a sparse stream times a vector, int8, for Cortex-M4, M7 and M33: 3.6 instructions a
// pair.
//
// Four words of a stream of odd rows are eight pairs, loaded at once: UXTAB walks to the next
// input, SXTB16 widens two weights.
#include "spk/stream_row_s8.h"

#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)

// Two pairs, in `word`.
#define TWO_PAIRS(word)                   \
  "uxtab %[p], %[p], " word               \
  "\n\t"                                  \
  "sxtb16 %[w], " word                    \
  ", ror #8\n\t"                          \
  "ldrsb %[v], [%[p]]\n\t"                \
  "uxtab %[p], %[p], " word               \
  ", ror #16\n\t"                         \
  "ldrsb " word                           \
  ", [%[p]]\n\t"                          \
  "smlabb %[acc], %[v], %[w], %[acc]\n\t" \
  "smlabt %[acc], " word ", %[w], %[acc]\n\t"
// clang-format off
// Four words. Where there are one to three of them, they lie in the last registers, and labels
// n1 to n3 are where they are used.
#define FOUR_WORDS(n)                           \
  n "4: ldm %[s]!, {%[a], %[b], %[c], %[d]}\n\t" \
  TWO_PAIRS("%[a]")                             \
  n "3: " TWO_PAIRS("%[b]")                     \
  n "2: " TWO_PAIRS("%[c]")                     \
  n "1: " TWO_PAIRS("%[d]")
#define FEWER_WORDS(n)                          \
  n "7: ldm %[s]!, {%[b], %[c], %[d]}\n\t"      \
  "b.w " n "3f\n"                               \
  n "6: ldm %[s]!, {%[c], %[d]}\n\t"            \
  "b.w " n "2f\n"                               \
  n "5: ldr %[d], [%[s]], #4\n\t"               \
  "b.w " n "1f\n"
#define JUMP(label) ".hword (" label " - 9b) / 2\n"
#define JUMPS(fours, n) JUMP(fours "4f") JUMP(n "5f") JUMP(n "6f") JUMP(n "7f")

// A row begins with the word of its count and first pair. One jump leads into a run of 32
// words, which turns from 65 pairs on; until then no instruction changes the flag that tells
// so.
const uint8_t *spk_sum_rows_s8_stream__armv7em(const int8_t *x, const uint8_t *s,
                                               const int32_t *bias, int32_t count,
                                               int32_t *sums) {
  register uint32_t a __asm__("r4"), b __asm__("r5"), c __asm__("r6"), d __asm__("r8");
  for (const int32_t *const end = sums + count; sums < end; ++sums) {
    int32_t acc = *bias++;
    const int8_t *p;
    uint32_t n, v, w;
    __asm__ volatile(
        "ldr %[n], [%[s]], #4\n\t"
        "uxtab %[p], %[x], %[n], ror #16\n\t"
        "asr %[w], %[n], #24\n\t"
        "ldrsb %[v], [%[p]]\n\t"
        "mla %[acc], %[v], %[w], %[acc]\n\t"
        "ubfx %[v], %[n], #1, #5\n\t"
        "ands %[n], %[n], #0x3fc0\n\t"
        "tbh [pc, %[v], lsl #1]\n"
        "9:\n"
        JUMPS("0", "1") JUMPS("1", "2") JUMPS("2", "3") JUMPS("3", "4")
        JUMPS("4", "5") JUMPS("5", "6") JUMPS("6", "7") JUMPS("7", "8")
        FEWER_WORDS("1") FEWER_WORDS("2") FEWER_WORDS("3") FEWER_WORDS("4")
        FEWER_WORDS("5") FEWER_WORDS("6") FEWER_WORDS("7") FEWER_WORDS("8")
        "10: subs %[n], %[n], #64\n"
        FOUR_WORDS("8") FOUR_WORDS("7") FOUR_WORDS("6") FOUR_WORDS("5")
        FOUR_WORDS("4") FOUR_WORDS("3") FOUR_WORDS("2") FOUR_WORDS("1")
        "04: bne 10b"
        : [s] "+r"(s), [acc] "+r"(acc), [p] "=&r"(p), [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c),
          [d] "=&r"(d), [n] "=&r"(n), [v] "=&r"(v), [w] "=&r"(w)
        : [x] "r"(x)
        : "cc", "memory");
    *sums = acc;
  }
  return s;
}
// clang-format on

#else

const uint8_t *spk_sum_rows_s8_stream__armv7em(const int8_t *x, const uint8_t *stream,
                                               const int32_t *bias, int32_t count,
                                               int32_t *sums) {
  for (; count > 0; --count) *sums++ = spk_stream_row_s8(x, &stream, *bias++);
  return stream;
}

#endif
