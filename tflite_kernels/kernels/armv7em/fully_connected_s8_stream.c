// FULLY_CONNECTED, int8, sparse stream, for Cortex-M4, M7 and M33: 3.6 instructions a pair.
//
// Inputs stay int8, their offset is in the bias. Four words of a stream of odd rows are eight
// pairs, loaded at once: UXTAB walks to the next input, SXTB16 widens two weights.
#include "spk/kernels_s8.h"
#include "spk/requantize_rows_s8.h"
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
#define ONE_WORD "ldr %[a], [%[s]], #4\n\t" TWO_PAIRS("%[a]")
#define FOUR_WORDS                                                              \
  "ldm %[s]!, {%[a], %[b], %[c], %[d]}\n\t" TWO_PAIRS("%[a]") TWO_PAIRS("%[b]") \
      TWO_PAIRS("%[c]") TWO_PAIRS("%[d]")

// sums[] = bias[] + the sums of `count` rows; returns the end of their stream. A row begins
// with the word of its count and first pair. Jumps lead into a run of words and then into a run
// of fours, which turns from 73 pairs on.
SPK_NOINLINE const uint8_t *some_rows(const int8_t *x, const uint8_t *s, const int32_t *bias,
                                      int32_t count, int32_t *sums) {
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
        "ubfx %[v], %[n], #1, #2\n\t"
        "tbb [pc, %[v]]\n"
        "10: .byte (20f - 10b) / 2, (21f - 10b) / 2, (22f - 10b) / 2, (23f - 10b) / 2\n"
        "23: " ONE_WORD "\n22: " ONE_WORD "\n21: " ONE_WORD
        "\n"
        "20: ubfx %[v], %[n], #3, #3\n\t"
        "ubfx %[n], %[n], #6, #10\n\t"
        "tbh [pc, %[v], lsl #1]\n"
        "11: .hword (30f - 11b) / 2, (31f - 11b) / 2, (32f - 11b) / 2, (33f - 11b) / 2\n"
        ".hword (34f - 11b) / 2, (35f - 11b) / 2, (36f - 11b) / 2, (37f - 11b) / 2\n"
        "38: " FOUR_WORDS "\n37: " FOUR_WORDS "\n36: " FOUR_WORDS "\n35: " FOUR_WORDS
        "\n34: " FOUR_WORDS "\n33: " FOUR_WORDS "\n32: " FOUR_WORDS "\n31: " FOUR_WORDS
        "\n30: subs %[n], %[n], #1\n\t"
        "bpl 38b"
        : [s] "+r"(s), [acc] "+r"(acc), [p] "=&r"(p), [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c),
          [d] "=&r"(d), [n] "=&r"(n), [v] "=&r"(v), [w] "=&r"(w)
        : [x] "r"(x)
        : "cc", "memory");
    *sums = acc;
  }
  return s;
}

#else

static const uint8_t *some_rows(const int8_t *x, const uint8_t *stream, const int32_t *bias,
                                int32_t count, int32_t *sums) {
  for (; count > 0; --count) *sums++ = spk_stream_row_s8(x, &stream, *bias++);
  return stream;
}

#endif

void spk_fully_connected_s8_stream__armv7em(int32_t batch, int32_t rows, int32_t cols,
                                            const spk_requant *q, const int8_t *input,
                                            const uint8_t *stream, const int32_t *bias,
                                            int8_t *output) {
  for (int32_t b = 0; b < batch; ++b, input += cols, output += rows) {
    const uint8_t *row = stream;
    for (int32_t first = 0; first < rows; first += SPK_ROWS_AT_ONCE) {
      const int32_t left = rows - first;
      const int32_t count = left < SPK_ROWS_AT_ONCE ? left : SPK_ROWS_AT_ONCE;
      int32_t sums[SPK_ROWS_AT_ONCE];
      row = some_rows(input, row, bias + first, count, sums);
      spk_requantize_rows_once_s8(sums, first, count, q, output);
    }
  }
}
