// Rows of a sparse stream over a tile of pixels, in assembly (see spk/armv7em.h).
#include "spk/armv7em.h"

#if SPK_ARMV7EM

#pragma GCC diagnostic ignored "-Wunused-parameter"  // the assembly finds them in registers

// clang-format off
// Nine instructions, 36 bytes, for eight products.
#define PAIR                                     \
  "ldrb.w r10, [r1], #1\n\t"                     \
  "ldrsb.w r12, [r1], #1\n\t"                    \
  "add.w r0, r0, r10, lsl #4\n\t"                \
  SPK_MULTIPLY_ACCUMULATE("[r0]", "[r0, #8]")

// Where r10 pairs begin that end at label 3, as a table of jumps from label 2.
#define ENTRY(pairs) ".hword (3f - 2b - 36 * (" pairs ")) / 2\n\t"
#define EIGHT_ENTRIES(first)                                                        \
  ENTRY(first) ENTRY(first "+1") ENTRY(first "+2") ENTRY(first "+3")                \
  ENTRY(first "+4") ENTRY(first "+5") ENTRY(first "+6") ENTRY(first "+7")

// Rows of less than 32 pairs run straight through, and lr stays their channel. Of longer ones what
// is left over comes first, lr is the end of the row, or of a run less 1, and the carry, which
// no pair touches, tells them apart.
SPK_NAKED const uint8_t *spk_rows_s8_stream__armv7em(const int32_t *tile, int32_t run,
                                                     const uint8_t *stream,
                                                     const spk_channel *channels,
                                                     int8_t *output, int32_t out_c) {
  __asm__ volatile(
      SPK_ENTER
      SPK_FIND_CHANNEL
      "ldr r12, [sp, #40]\n\t"
      "str r12, [sp, #36]\n\t"
      "10:\n\t"  // a row
      "ldrh r10, [r1], #2\n\t"
      "ldm sp, {r0, r2-r9, r11}\n\t"
      "cmp r10, #32\n\t"
      "bhs.w 30f\n\t"
      "11:\n\t"
      "tbh [pc, r10, lsl #1]\n\t"
      "2:\n\t"
      EIGHT_ENTRIES("0") EIGHT_ENTRIES("8") EIGHT_ENTRIES("16") EIGHT_ENTRIES("24")
      "1:\n\t"
      ".rept 32\n\t" PAIR ".endr\n\t"
      "3:\n\t"
      "blo.w 12f\n\t"
      "cmp lr, r1\n\t"
      "bhi.w 1b\n\t"
      "bne.w 31f\n\t"
      SPK_FIND_CHANNEL
      "12:\n\t"
      SPK_FINISH_SUMS
      SPK_SCALE_BY_PATH
      SPK_SCALE_AND_STORE
      "30:\n\t"  // a row of more pairs
      "cmp r11, r10\n\t"
      "blo.w 32f\n\t"
      "add lr, r1, r10, lsl #1\n\t"
      "and r10, r10, #31\n\t"
      "b.w 11b\n\t"
      "31:\n\t"  // the end of a run
      SPK_SPILL_LANES
      "ldr r10, [sp, #56]\n\t"
      "cmp r10, #0\n\t"
      "bne.w 33f\n\t"
      SPK_FINISH_SPILLED_SUMS
      "32:\n\t"  // a row of several runs
      "str r10, [sp, #56]\n\t"
      SPK_CLEAR_SUMS
      "33:\n\t"
      SPK_NEXT_RUN
      SPK_EMPTY_LANES
      "add lr, r1, r10, lsl #1\n\t"
      "sub lr, lr, #1\n\t"
      "and r10, r10, #31\n\t"
      "cmp lr, r1\n\t"
      "b.w 11b\n\t");
}
// clang-format on

#endif
