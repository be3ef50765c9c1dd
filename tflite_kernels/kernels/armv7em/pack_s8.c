// Packs pixels into the words of a tile, in assembly (see spk/armv7em.h).
//
// Channels are read four at a time; SXTAB takes a byte out of a word, widens it and adds
// the offset.
#include "spk/armv7em.h"

#if SPK_ARMV7EM

#pragma GCC diagnostic ignored "-Wunused-parameter"  // the assembly finds them in registers

// clang-format off
// word = byte of low + byte of high << 23 + both
#define WORD(word, low, high, both, byte)        \
  "sxtab " word ", " both ", " low byte "\n\t"   \
  "sxtb lr, " high byte "\n\t"                   \
  "add " word ", " word ", lr, lsl #23\n\t"
#define TWO_WORDS(byte)                          \
  WORD("r11", "r7", "r8", "r4", byte)            \
  WORD("r12", "r9", "r10", "r4", byte)           \
  "strd r11, r12, [r6], #16\n\t"

SPK_NAKED void spk_pack_two__armv7em(const int8_t *low0, const int8_t *high0,
                                     const int8_t *low1, const int8_t *high1, int32_t both,
                                     int32_t channels, int32_t *words) {
  __asm__ volatile(
      "sub sp, sp, #40\n\t"
      "stm sp, {r4-r12, lr}\n\t"
      "ldrd r4, r5, [sp, #40]\n\t"
      "ldr r6, [sp, #48]\n\t"
      "subs r5, r5, #4\n\t"
      "blt 2f\n\t"
      "1:\n\t"
      "ldr r7, [r0], #4\n\t"
      "ldr r8, [r1], #4\n\t"
      "ldr r9, [r2], #4\n\t"
      "ldr r10, [r3], #4\n\t"
      TWO_WORDS("")
      TWO_WORDS(", ror #8")
      TWO_WORDS(", ror #16")
      TWO_WORDS(", ror #24")
      "subs r5, r5, #4\n\t"
      "bge 1b\n\t"
      "2:\n\t"
      "adds r5, r5, #4\n\t"
      "beq 4f\n\t"
      "3:\n\t"
      "ldrsb r7, [r0], #1\n\t"
      "ldrsb r8, [r1], #1\n\t"
      "ldrsb r9, [r2], #1\n\t"
      "ldrsb r10, [r3], #1\n\t"
      TWO_WORDS("")
      "subs r5, r5, #1\n\t"
      "bne 3b\n\t"
      "4:\n\t"
      "pop {r4-r12, pc}\n\t");
}

// The fourth word that is loaded is the first one of the next column, and not used.
#define NEXT_WORD(byte)                          \
  "ldm r4!, {r8-r11}\n\t"                        \
  WORD("r11", "r6", "r7", "r2", byte)            \
  "stm r5!, {r8-r11}\n\t"

SPK_NAKED void spk_pack_next__armv7em(const int8_t *low, const int8_t *high, int32_t both,
                                      int32_t channels, const int32_t *from, int32_t *words) {
  __asm__ volatile(
      "sub sp, sp, #36\n\t"
      "stm sp, {r4-r11, lr}\n\t"
      "ldrd r4, r5, [sp, #36]\n\t"
      "add r4, r4, #4\n\t"
      "subs r3, r3, #4\n\t"
      "blt 2f\n\t"
      "1:\n\t"
      "ldr r6, [r0], #4\n\t"
      "ldr r7, [r1], #4\n\t"
      NEXT_WORD("")
      NEXT_WORD(", ror #8")
      NEXT_WORD(", ror #16")
      NEXT_WORD(", ror #24")
      "subs r3, r3, #4\n\t"
      "bge 1b\n\t"
      "2:\n\t"
      "adds r3, r3, #4\n\t"
      "beq 4f\n\t"
      "3:\n\t"
      "ldrsb r6, [r0], #1\n\t"
      "ldrsb r7, [r1], #1\n\t"
      NEXT_WORD("")
      "subs r3, r3, #1\n\t"
      "bne 3b\n\t"
      "4:\n\t"
      "pop {r4-r11, pc}\n\t");
}

SPK_NAKED void spk_move_columns__armv7em(const int32_t *from, int32_t *to, int32_t columns) {
  __asm__ volatile(
      "sub sp, sp, #32\n\t"
      "stm sp, {r4-r11}\n\t"
      "subs r2, r2, #4\n\t"
      "blt 2f\n\t"
      "1:\n\t"
      "ldm r0!, {r4-r11}\n\t"
      "stm r1!, {r4-r11}\n\t"
      "ldm r0!, {r4-r11}\n\t"
      "stm r1!, {r4-r11}\n\t"
      "subs r2, r2, #4\n\t"
      "bge 1b\n\t"
      "2:\n\t"
      "adds r2, r2, #4\n\t"
      "beq 4f\n\t"
      "3:\n\t"
      "ldm r0!, {r4-r7}\n\t"
      "stm r1!, {r4-r7}\n\t"
      "subs r2, r2, #1\n\t"
      "bne 3b\n\t"
      "4:\n\t"
      "pop {r4-r11}\n\t"
      "bx lr\n\t");
}
// clang-format on

#endif
