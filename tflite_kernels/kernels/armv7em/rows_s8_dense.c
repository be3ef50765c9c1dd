// Rows of dense weights over a tile of pixels, in assembly (see spk/armv7em.h).
#include "spk/armv7em.h"

#if SPK_ARMV7EM

#pragma GCC diagnostic ignored "-Wunused-parameter"  // the assembly finds them in registers

// clang-format off
// Seven instructions, 28 bytes, for eight products.
#define COLUMN                                   \
  "ldrsb.w r12, [r1], #1\n\t"                    \
  SPK_MULTIPLY_ACCUMULATE("[r0], #8", "[r0], #8")

// One run of r10 columns. The loop is entered so that what is left over comes first: a
// table of jumps, from label 2 to the loop's end at label 3, tells where.
#define ENTRY(columns) ".hword (3f - 2b - 28 * " columns ") / 2\n\t"
#define RUN                                      \
  "add lr, r1, r10\n\t"                          \
  "and r10, r10, #15\n\t"                        \
  "tbh [pc, r10, lsl #1]\n\t"                    \
  "2:\n\t"                                       \
  ENTRY("0") ENTRY("1") ENTRY("2") ENTRY("3")    \
  ENTRY("4") ENTRY("5") ENTRY("6") ENTRY("7")    \
  ENTRY("8") ENTRY("9") ENTRY("10") ENTRY("11")  \
  ENTRY("12") ENTRY("13") ENTRY("14") ENTRY("15") \
  "1:\n\t"                                       \
  ".rept 16\n\t" COLUMN ".endr\n\t"              \
  "3:\n\t"                                       \
  "cmp r1, lr\n\t"                               \
  "bne.w 1b\n\t"

SPK_NAKED const int8_t *spk_rows_s8_dense__armv7em(const int32_t *tile, int32_t run,
                                                   const int8_t *weights,
                                                   const spk_channel *channels,
                                                   int8_t *output, int32_t out_c,
                                                   int32_t columns) {
  __asm__ volatile(
      SPK_ENTER
      "ldr r12, [sp, #136]\n\t"
      "str r12, [sp, #36]\n\t"
      "10:\n\t"  // a row
      "ldm sp, {r0, r2-r11}\n\t"
      "cmp r10, r11\n\t"
      "bhi.w 30f\n\t"
      RUN
      SPK_FIND_CHANNEL
      SPK_FINISH_SUMS
      SPK_SCALE_AND_STORE
      "30:\n\t"  // a row of several runs
      "str r10, [sp, #56]\n\t"
      SPK_CLEAR_SUMS
      "31:\n\t"
      SPK_NEXT_RUN
      SPK_EMPTY_LANES
      RUN
      SPK_SPILL_LANES
      "ldr r10, [sp, #56]\n\t"
      "cmp r10, #0\n\t"
      "bne.w 31b\n\t"
      SPK_FINISH_SPILLED_SUMS);
}
// clang-format on

#endif
