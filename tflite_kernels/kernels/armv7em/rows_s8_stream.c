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

// One run of r10 pairs. The loop is entered so that what is left over comes first: a table
// of jumps, from label 2 to the loop's end at label 3, tells where.
#define ENTRY(pairs) ".hword (3f - 2b - 36 * " pairs ") / 2\n\t"
#define RUN                                      \
  "add lr, r1, r10, lsl #1\n\t"                  \
  "and r10, r10, #7\n\t"                         \
  "tbh [pc, r10, lsl #1]\n\t"                    \
  "2:\n\t"                                       \
  ENTRY("0") ENTRY("1") ENTRY("2") ENTRY("3")    \
  ENTRY("4") ENTRY("5") ENTRY("6") ENTRY("7")    \
  "1:\n\t"                                       \
  ".rept 8\n\t" PAIR ".endr\n\t"                 \
  "3:\n\t"                                       \
  "cmp r1, lr\n\t"                               \
  "bne.w 1b\n\t"

SPK_NAKED const uint8_t *spk_rows_s8_stream__armv7em(const int32_t *tile, int32_t run,
                                                     const uint8_t *stream,
                                                     const spk_channel *channels,
                                                     int8_t *output, int32_t out_c,
                                                     const int8_t *end, int32_t is_floor) {
  __asm__ volatile(
      "sub sp, sp, #88\n\t"
      SPK_ENTER
      "10:\n\t"  // a row
      "ldrh r10, [r1], #2\n\t"
      "ldrd r0, r11, [sp]\n\t"
      "cmp r10, r11\n\t"
      "bhi.w 30f\n\t"
      SPK_EMPTY_LANES("99f")
      RUN
      SPK_LOAD_CHANNEL
      SPK_FINISH_SUMS
      SPK_SCALE_LANES
      SPK_STORE_PIXELS
      "bne.w 10b\n\t"
      SPK_LEAVE
      "30:\n\t"  // a row of several runs
      "str r10, [sp, #12]\n\t"
      SPK_CLEAR_SUMS
      "31:\n\t"
      SPK_NEXT_RUN
      SPK_EMPTY_LANES("99b")
      RUN
      SPK_SPILL_LANES
      "ldr r10, [sp, #12]\n\t"
      "cmp r10, #0\n\t"
      "bne.w 31b\n\t"
      SPK_FINISH_SPILLED_SUMS);
}
// clang-format on

#endif
