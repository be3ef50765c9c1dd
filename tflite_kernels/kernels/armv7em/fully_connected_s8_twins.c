// FULLY_CONNECTED, int8, twins and a sparse stream, for Cortex-M4, M7 and M33: 4.3 instructions
// for two multiplications, where the stream takes 7.3.
//
// Inputs are widened once in two orders, in which many pairs of weights have theirs side by
// side, in one word; their offset is in the bias. Four words are four twins, loaded at once:
// two places and the weights of two twins for each pair of LDRs, of which every other address
// is that of a halfword only, and two SMLADs.
#include "spk/kernels_s8.h"
#include "spk/requantize_rows_s8.h"
#include "spk/stream_row_s8.h"
#include "spk/twins_s8.h"

size_t spk_fully_connected_s8_twins__armv7em_scratch(int32_t cols) {
  return 2 * SPK_TWINS_WIDTH((size_t)cols) * sizeof(int16_t);
}

#ifdef SPK_DSP

// clang-format off
// Two twins: their places are the halfwords of `places`, their weights even and odd bytes.
#define TWO_TWINS(places, weights)                     \
  "uxth %[u], " places "\n\t"                          \
  "uxth %[v], " places ", ror #16\n\t"                 \
  "ldr %[u], [%[x], %[u], lsl #1]\n\t"                 \
  "ldr %[v], [%[x], %[v], lsl #1]\n\t"                 \
  "sxtb16 " places ", " weights "\n\t"                 \
  "sxtb16 " weights ", " weights ", ror #8\n\t"        \
  "smlad %[acc], %[u], " places ", %[acc]\n\t"         \
  "smlad %[acc], %[v], " weights ", %[acc]\n\t"
#define FOUR_TWINS                                     \
  "ldm %[s]!, {%[a], %[b], %[c], %[d]}\n\t"            \
  TWO_TWINS("%[a]", "%[c]") TWO_TWINS("%[b]", "%[d]")
// clang-format on

// sums[] = bias[] + the twins of `count` rows; returns the end of their fours. A jump leads
// into a run of fours, which turns above three.
SPK_NOINLINE const uint8_t *some_rows(const int16_t *x, const uint8_t *fours, const uint8_t *s,
                                      const int32_t *bias, int32_t count, int32_t *sums) {
  register uint32_t a __asm__("r4"), b __asm__("r5"), c __asm__("r6"), d __asm__("r8");
  for (const int32_t *const end = sums + count; sums < end; ++sums) {
    int32_t acc = *bias++;
    uint32_t n = *fours++, u, v;
    __asm__ volatile(
        "and %[u], %[n], #3\n\t"
        "lsr %[n], %[n], #2\n\t"
        "tbb [pc, %[u]]\n"
        "10: .byte (20f - 10b) / 2, (21f - 10b) / 2, (22f - 10b) / 2, (23f - 10b) / 2\n"
        "24: " FOUR_TWINS "\n23: " FOUR_TWINS "\n22: " FOUR_TWINS "\n21: " FOUR_TWINS
        "\n20: subs %[n], %[n], #1\n\t"
        "bpl 24b"
        : [s] "+r"(s), [acc] "+r"(acc), [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c), [d] "=&r"(d),
          [n] "+r"(n), [u] "=&r"(u), [v] "=&r"(v)
        : [x] "r"(x)
        : "cc", "memory");
    *sums = acc;
  }
  return s;
}

#else

static const uint8_t *some_rows(const int16_t *x, const uint8_t *fours, const uint8_t *s,
                                const int32_t *bias, int32_t count, int32_t *sums) {
  for (int32_t r = 0; r < count; ++r) {
    uint32_t acc = (uint32_t)bias[r];
    for (int32_t n = fours[r]; n > 0; --n, s += 16) {
      for (int32_t i = 0; i < 4; ++i) {
        const int16_t *const pair = x + (s[2 * i] | s[2 * i + 1] << 8);
        const int8_t *const weight = (const int8_t *)s + 8 + 4 * (i / 2) + i % 2;
        acc += (uint32_t)(pair[0] * weight[0] + pair[1] * weight[2]);
      }
    }
    sums[r] = (int32_t)acc;
  }
  return s;
}

#endif

void spk_fully_connected_s8_twins__armv7em(int32_t batch, int32_t rows, int32_t cols,
                                           const spk_requant *q, const int8_t *input,
                                           const uint8_t *twins, const int32_t *bias,
                                           int8_t *output, void *scratch) {
  const uint8_t *const fours = twins + 4;
  const uint32_t begin =
      twins[0] | (uint32_t)twins[1] << 8 | (uint32_t)twins[2] << 16 | (uint32_t)twins[3] << 24;
  for (int32_t b = 0; b < batch; ++b, input += cols, output += rows) {
    const uint8_t *four = fours + (rows + 3) / 4 * 4, *pair = twins + begin;
    spk_twins_widen_s8(input, cols, scratch);
    for (int32_t first = 0; first < rows; first += SPK_ROWS_AT_ONCE) {
      const int32_t left = rows - first;
      const int32_t count = left < SPK_ROWS_AT_ONCE ? left : SPK_ROWS_AT_ONCE;
      int32_t sums[SPK_ROWS_AT_ONCE];
      four = some_rows(scratch, fours + first, four, bias + first, count, sums);
      pair = spk_sum_rows_s8_stream__armv7em(input, pair, sums, count, sums);
      spk_requantize_rows_once_s8(sums, first, count, q, output);
    }
  }
}
