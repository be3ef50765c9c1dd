// Lines of a depthwise convolution, in assembly (see spk/depthwise_armv7em.h).
#include "spk/depthwise_armv7em.h"

#if SPK_ARMV7EM

#pragma GCC diagnostic ignored "-Wunused-parameter"  // the assembly finds them in registers

// clang-format off
// The frame is a copy of the job, and saved registers:
//    0 start   40 low_bias, multiplier, offset, right    56 x, x_end      64 low, high
//   72 step, tile_step   80 row   84 where lanes are scaled     88 lines, line
//   96 next_x, next_output        104 taps, taps_end     112 weights     148 r4-r11, lr
#define ENTER                                    \
  "add r12, sp, #148\n\t"                        \
  "stm r12, {r4-r11, lr}\n\t"                    \
  "mov r12, sp\n\t"                              \
  ".rept 4\n\t"                                  \
  "ldm r0!, {r4-r11}\n\t"                        \
  "stm r12!, {r4-r11}\n\t"                       \
  ".endr\n\t"                                    \
  "ldm r0, {r4-r8}\n\t"                          \
  "stm r12, {r4-r8}\n\t"                         \
  "ldr r0, [sp, #84]\n\t"                        \
  "adr.w r1, 20f\n\t"                            \
  "adr.w r2, 21f\n\t"                            \
  "cmp r0, #0\n\t"                               \
  "it ne\n\t"                                    \
  "movne r1, r2\n\t"                             \
  "orr r1, r1, #1\n\t"                           \
  "str r1, [sp, #84]\n\t"                        \
  ".balign 4\n\t"                                \
  "10:\n\t"

// r12 times four words at r0 + `byte`; five of them.
#define FOUR(byte)                               \
  "ldrd r1, lr, [r0, #" byte "]\n\t"             \
  "smlal r2, r3, r1, r12\n\t"                    \
  "smlal r4, r5, lr, r12\n\t"                    \
  "ldrd r1, lr, [r0, #" byte " + 8]\n\t"         \
  "smlal r6, r7, r1, r12\n\t"                    \
  "smlal r8, r9, lr, r12\n\t"
#define FIVE(byte)                               \
  FOUR(byte)                                     \
  "ldr r1, [r0, #" byte " + 16]\n\t"             \
  "smlal r10, r11, r1, r12\n\t"
#define ROW(WORDS, weights)                             \
  "ldr r12, [sp, #" weights "]\n\t" WORDS("0")          \
  "ldr r12, [sp, #" weights " + 4]\n\t" WORDS("4")      \
  "ldr r12, [sp, #" weights " + 8]\n\t" WORDS("8")
#define NEXT_ROW                                 \
  "ldr r12, [sp, #80]\n\t"                       \
  "add r0, r0, r12\n\t"
#define NINE_TAPS(WORDS, registers)              \
  "ldm sp, {" registers "}\n\t"                  \
  "ldr r0, [sp, #56]\n\t"                        \
  ROW(WORDS, "112") NEXT_ROW                     \
  ROW(WORDS, "124") NEXT_ROW                     \
  ROW(WORDS, "136")

// A tap of a list: r10 and r11 are free.
#define TAP                                      \
  "ldrd r10, r12, [r1], #8\n\t"                  \
  "add.w r0, r0, r10\n\t"                        \
  SPK_MULTIPLY_ACCUMULATE("[r0]", "[r0, #8]")
#define ENTRY(taps) ".hword (3f - 2b - 32 * " taps ") / 2\n\t"
#define LISTED_TAPS                              \
  "ldm sp, {r2-r9}\n\t"                          \
  "ldrd r1, lr, [sp, #104]\n\t"                  \
  "ldr r0, [sp, #56]\n\t"                        \
  "sub r10, lr, r1\n\t"                          \
  "ubfx r10, r10, #3, #3\n\t"                    \
  "tbh [pc, r10, lsl #1]\n\t"                    \
  "2:\n\t"                                       \
  ENTRY("0") ENTRY("1") ENTRY("2") ENTRY("3")    \
  ENTRY("4") ENTRY("5") ENTRY("6") ENTRY("7")    \
  "1:\n\t"                                       \
  ".rept 8\n\t" TAP ".endr\n\t"                  \
  "3:\n\t"                                       \
  "cmp r1, lr\n\t"                               \
  "bne.w 1b\n\t"

// Two lanes as doubled sums with their bias; what the low lane borrowed is given back.
#define FINISH(lo, hi)                           \
  "add " hi ", " hi ", " lo ", lsr #31\n\t"      \
  "add " lo ", r0, " lo ", asr #9\n\t"
#define FINISH_4                                 \
  "add r12, sp, #40\n\t"                         \
  "ldm r12, {r0, r1, r12, lr}\n\t"               \
  FINISH("r2", "r3") FINISH("r4", "r5")          \
  FINISH("r6", "r7") FINISH("r8", "r9")

// As in spk/armv7em.h; r1 is the multiplier, r12 the offset, lr the shift.
#define SCALE(sum)                               \
  "add r0, r12, " sum ", asr #31\n\t"            \
  "smmlar " sum ", " sum ", r1, r0\n\t"          \
  "asr " sum ", " sum ", lr\n\t"                 \
  "ssat " sum ", #8, " sum "\n\t"
#define SCALE_ABOVE_FLOOR(sum)                   \
  "smmlar " sum ", " sum ", r1, r12\n\t"         \
  "asr " sum ", " sum ", lr\n\t"                 \
  "ssat " sum ", #8, " sum "\n\t"
#define EIGHT(OF)                                \
  OF("r2") OF("r3") OF("r4") OF("r5")            \
  OF("r6") OF("r7") OF("r8") OF("r9")
#define TEN(OF) EIGHT(OF) OF("r10") OF("r11")
#define SCALE_ALL(ALL)                           \
  "ldr pc, [sp, #84]\n\t"                        \
  ".balign 4\n\t"                                \
  "21:\n\t" ALL(SCALE_ABOVE_FLOOR)               \
  "b.w 22f\n\t"                                  \
  ".balign 4\n\t"                                \
  "20:\n\t" ALL(SCALE)                           \
  "22:\n\t"

#define STORE_4                                  \
  "ldrd r0, r1, [sp, #64]\n\t"                   \
  "ldr r12, [sp, #72]\n\t"                       \
  "add lr, r12, r12, lsl #1\n\t"                 \
  "strb r2, [r0]\n\t"                            \
  "strb r4, [r0, r12]\n\t"                       \
  "strb r6, [r0, r12, lsl #1]\n\t"               \
  "strb r8, [r0, lr]\n\t"                        \
  "strb r3, [r1]\n\t"                            \
  "strb r5, [r1, r12]\n\t"                       \
  "strb r7, [r1, r12, lsl #1]\n\t"               \
  "strb r9, [r1, lr]\n\t"
#define STORE_5                                  \
  STORE_4                                        \
  "strb r10, [r0, r12, lsl #2]\n\t"              \
  "strb r11, [r1, r12, lsl #2]\n\t"

// The next tile of this line, or of the next one.
#define NEXT(bytes)                              \
  "ldrd r4, r5, [sp, #56]\n\t"                   \
  "ldr r2, [sp, #76]\n\t"                        \
  "add r4, r4, #" bytes "\n\t"                   \
  "add r0, r0, r2\n\t"                           \
  "add r1, r1, r2\n\t"                           \
  "str r4, [sp, #56]\n\t"                        \
  "strd r0, r1, [sp, #64]\n\t"                   \
  "cmp r4, r5\n\t"                               \
  "bne.w 10b\n\t"                                \
  "ldrd r2, r3, [sp, #88]\n\t"                   \
  "ldrd r6, r7, [sp, #96]\n\t"                   \
  "add r4, r4, r6\n\t"                           \
  "add r5, r5, r3\n\t"                           \
  "add r0, r0, r7\n\t"                           \
  "add r1, r1, r7\n\t"                           \
  "strd r4, r5, [sp, #56]\n\t"                   \
  "strd r0, r1, [sp, #64]\n\t"                   \
  "subs r2, r2, #1\n\t"                          \
  "str r2, [sp, #88]\n\t"                        \
  "bne.w 10b\n\t"                                \
  "add r12, sp, #148\n\t"                        \
  "ldm r12, {r4-r11, lr}\n\t"                    \
  "add sp, sp, #184\n\t"                         \
  "bx lr\n\t"

SPK_NAKED void spk_depthwise_3x3_by_4__armv7em(const spk_depthwise_lines *job) {
  __asm__ volatile(
      "sub sp, sp, #184\n\t"
      ENTER
      NINE_TAPS(FOUR, "r2-r9")
      FINISH_4
      SCALE_ALL(EIGHT)
      STORE_4
      NEXT("16"));
}

SPK_NAKED void spk_depthwise_3x3_by_5__armv7em(const spk_depthwise_lines *job) {
  __asm__ volatile(
      "sub sp, sp, #184\n\t"
      ENTER
      NINE_TAPS(FIVE, "r2-r11")
      FINISH_4 FINISH("r10", "r11")
      SCALE_ALL(TEN)
      STORE_5
      NEXT("20"));
}

SPK_NAKED void spk_depthwise_taps_by_4__armv7em(const spk_depthwise_lines *job) {
  __asm__ volatile(
      "sub sp, sp, #184\n\t"
      ENTER
      LISTED_TAPS
      FINISH_4
      SCALE_ALL(EIGHT)
      STORE_4
      NEXT("16"));
}

#define PLANE_WORD(plane, byte)                  \
  "sxtab r12, r4, r10 " byte "\n\t"              \
  "sxtb lr, r11 " byte "\n\t"                    \
  "add r12, r12, lr, lsl #23\n\t"                \
  "str r12, [" plane "], #4\n\t"

SPK_NAKED void spk_pack_planes__armv7em(const int8_t *low, const int8_t *high,
                                        int32_t low_step, int32_t high_step, int32_t both,
                                        int32_t count, int32_t *words, int32_t plane_bytes) {
  __asm__ volatile(
      "sub sp, sp, #36\n\t"
      "stm sp, {r4-r11, lr}\n\t"
      "ldrd r4, r5, [sp, #36]\n\t"
      "ldrd r6, r10, [sp, #44]\n\t"
      "add r7, r6, r10\n\t"
      "add r8, r7, r10\n\t"
      "add r9, r8, r10\n\t"
      "1:\n\t"
      "ldr r10, [r0]\n\t"
      "ldr r11, [r1]\n\t"
      "add r0, r0, r2\n\t"
      "add r1, r1, r3\n\t"
      PLANE_WORD("r6", "")
      PLANE_WORD("r7", ", ror #8")
      PLANE_WORD("r8", ", ror #16")
      PLANE_WORD("r9", ", ror #24")
      "subs r5, r5, #1\n\t"
      "bne 1b\n\t"
      "pop {r4-r11, pc}\n\t");
}
// clang-format on

#endif
