// FULLY_CONNECTED, int8, blocks of 1x4 weights, for Cortex-M4, M7 and M33: 6.3 instructions a
// block of four multiplications.
//
// Inputs are widened once, their offset is in the bias. Five words are four blocks, loaded at
// once: UXTAB walks to the inputs of the next block, which lie ready for SMLAD.
#include "spk/kernels_s8.h"
#include "spk/requantize_rows_s8.h"
#include "spk/widen_s8.h"

size_t spk_fully_connected_s8_blocks__armv7em_scratch(int32_t cols) {
  return SPK_WIDENED((size_t)cols) * sizeof(int16_t);
}

#ifdef SPK_DSP

// clang-format off
// One block: its distance is the byte of `word` behind the rotation, its weights are in `w`.
#define BLOCK(word, rotation, w)         \
  "uxtab %[p], %[p], " word rotation     \
  "\n\t"                                 \
  "ldrd %[u], %[v], [%[p]]\n\t"          \
  "sxtb16 %[t], " w                      \
  "\n\t"                                 \
  "sxtb16 " w ", " w                     \
  ", ror #8\n\t"                         \
  "smlad %[acc], %[u], %[t], %[acc]\n\t" \
  "smlad %[acc], %[v], " w ", %[acc]\n\t"
#define FOUR_BLOCKS                                                         \
  "ldm %[s]!, {%[k], %[a], %[b], %[c], %[d]}\n\t" BLOCK("%[k]", "", "%[a]") \
      BLOCK("%[k]", ", ror #8", "%[b]") BLOCK("%[k]", ", ror #16", "%[c]")  \
          BLOCK("%[k]", ", ror #24", "%[d]")

// What comes before so many fours: two blocks or one, whose distances lie in the first word.
#define BLOCKS_BEFORE(fours)                                                  \
  "2" fours ": ldr %[a], [%[s]], #4\n\t" BLOCK("%[k]", ", ror #16", "%[a]")   \
  "1" fours ": ldr %[a], [%[s]], #4\n\t" BLOCK("%[k]", ", ror #24", "%[a]")   \
  "b.w 3" fours "f\n"
#define JUMP(label)  ".hword (" label " - 9b) / 2\n"
#define JUMPS(fours) JUMP("3" fours "f") JUMP("1" fours "f") JUMP("2" fours "f") JUMP("30f")

// sums[] = bias[] + the sums of `count` rows; returns the end of their blocks. A row begins
// with the word of its count and first distances. One jump leads into a run of 16 blocks, which
// turns from then on; until then no instruction changes the flag that tells so.
SPK_NOINLINE const uint8_t *some_rows(const int16_t *x, const uint8_t *s, const int32_t *bias,
                                      int32_t count, int32_t *sums) {
  register uint32_t k __asm__("r3"), a __asm__("r4"), b __asm__("r5"), c __asm__("r6"),
      d __asm__("r8");
  for (const int32_t *const end = sums + count; sums < end; ++sums) {
    int32_t acc = *bias++;
    const int16_t *p;
    uint32_t n, t, u, v;
    __asm__ volatile(
        "ldr %[k], [%[s]], #4\n\t"
        "mov %[p], %[x]\n\t"
        "ubfx %[t], %[k], #0, #4\n\t"
        "ands %[n], %[k], #0xff0\n\t"
        "tbh [pc, %[t], lsl #1]\n"
        "9:\n"
        JUMPS("0") JUMPS("1") JUMPS("2") JUMPS("3")
        BLOCKS_BEFORE("0") BLOCKS_BEFORE("1") BLOCKS_BEFORE("2") BLOCKS_BEFORE("3")
        "10: subs %[n], %[n], #16\n\t"
        FOUR_BLOCKS "\n33: " FOUR_BLOCKS "\n32: " FOUR_BLOCKS "\n31: " FOUR_BLOCKS
        "\n30: bne.w 10b"
        : [s] "+r"(s), [acc] "+r"(acc), [p] "=&r"(p), [k] "=&r"(k), [a] "=&r"(a), [b] "=&r"(b),
          [c] "=&r"(c), [d] "=&r"(d), [n] "=&r"(n), [t] "=&r"(t), [u] "=&r"(u), [v] "=&r"(v)
        : [x] "r"(x)
        : "cc", "memory");
    *sums = acc;
  }
  return s;
}
// clang-format on

#else

static const uint8_t *some_rows(const int16_t *wide, const uint8_t *s, const int32_t *bias,
                                int32_t count, int32_t *sums) {
  for (int32_t r = 0; r < count; ++r) {
    const int32_t blocks = s[0] | s[1] << 8, rest = blocks % 4;
    const int16_t *x = wide;
    const uint8_t *delta = s + 4 - rest;
    uint32_t acc = (uint32_t)bias[r];
    s += 4;
    for (int32_t i = 0; i < blocks; ++i, s += 4) {
      if (i >= rest && (i - rest) % 4 == 0) delta = s, s += 4;
      x += *delta++ / (int32_t)sizeof(int16_t);
      acc += (uint32_t)spk_dot_widened(x, (const int8_t *)s);
    }
    sums[r] = (int32_t)acc;
  }
  return s;
}

#endif

void spk_fully_connected_s8_blocks__armv7em(int32_t batch, int32_t rows, int32_t cols,
                                            const spk_requant *q, const int8_t *input,
                                            const uint8_t *blocks, const int32_t *bias,
                                            int8_t *output, void *scratch) {
  int16_t *x = scratch;
  for (int32_t b = 0; b < batch; ++b, input += cols, output += rows) {
    const uint8_t *row = blocks;
    spk_widen_s8(input, cols, 0, x);
    for (int32_t first = 0; first < rows; first += SPK_ROWS_AT_ONCE) {
      const int32_t left = rows - first;
      const int32_t count = left < SPK_ROWS_AT_ONCE ? left : SPK_ROWS_AT_ONCE;
      int32_t sums[SPK_ROWS_AT_ONCE];
      row = some_rows(x, row, bias + first, count, sums);
      spk_requantize_rows_once_s8(sums, first, count, q, output);
    }
  }
}
