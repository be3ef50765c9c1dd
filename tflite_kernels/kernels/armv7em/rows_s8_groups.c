// Rows of groups with one weight each over a tile of pixels, in assembly (see spk/armv7em.h).
//
// The tile is aligned to a group's columns, so that one BFI of a place into its address finds
// the column that a weight meets; which group it is, is an offset of the loads.
#include "spk/armv7em.h"

#if SPK_ARMV7EM

#pragma GCC diagnostic ignored "-Wunused-parameter"  // the assembly finds them in registers

// clang-format off
// Nine instructions for eight products: the place of `bits` bits at the bottom of lr, the next
// one `turn` bits above.
#define GROUP(bits, turn, weight, low, high)     \
  "bfi r0, lr, #4, #" bits "\n\t"                \
  "ror lr, lr, #" turn "\n\t"                    \
  "ldrsb.w r12, [r1, #" weight "]\n\t"           \
  SPK_MULTIPLY_ACCUMULATE("[r0, #" low "]", "[r0, #" high "]")

// Four groups of 4 columns; the byte of a group holds its place in the next four groups too.
#define FOUR_OF_4(w0, w1, w2, w3, a, b, c, d, e, f, g, h) \
  GROUP("2", "8", w0, a, b) GROUP("2", "8", w1, c, d)     \
  GROUP("2", "8", w2, e, f) GROUP("2", "10", w3, g, h)
#define FOUR_OF_8(w0, w1, w2, w3, a, b, c, d, e, f, g, h) \
  GROUP("3", "8", w0, a, b) GROUP("3", "8", w1, c, d)     \
  GROUP("3", "8", w2, e, f) GROUP("3", "12", w3, g, h)

#define UNIT_OF_4                                                                      \
  FOUR_OF_4("4", "5", "6", "7", "0", "8", "64", "72", "128", "136", "192", "200")      \
  FOUR_OF_4("8", "9", "10", "11", "256", "264", "320", "328", "384", "392", "448", "456") \
  FOUR_OF_4("12", "13", "14", "15", "512", "520", "576", "584", "640", "648", "704", "712") \
  FOUR_OF_4("16", "17", "18", "19", "768", "776", "832", "840", "896", "904", "960", "968")
#define UNIT_OF_8                                                                      \
  FOUR_OF_8("4", "5", "6", "7", "0", "8", "128", "136", "256", "264", "384", "392")    \
  FOUR_OF_8("8", "9", "10", "11", "512", "520", "640", "648", "768", "776", "896", "904")
#define REST_OF_4 \
  FOUR_OF_4("0", "1", "2", "3", "0", "8", "64", "72", "128", "136", "192", "200")
#define REST_OF_8 \
  FOUR_OF_8("0", "1", "2", "3", "0", "8", "128", "136", "256", "264", "384", "392")

// The slot of the argument `output`, which is read already, holds where a chunk of units ends;
// that of what is left of a long row is 0 in its last chunk, and for rows of one chunk.
#define ROWS(unit, unit_bytes, rest, rest_bytes)  \
  SPK_ENTER                                      \
  "mov r12, #0\n\t"                              \
  "str r12, [sp, #56]\n\t"                       \
  "ldr r12, [sp, #136]\n\t"                      \
  "str r12, [sp, #36]\n\t"                       \
  "10:\n\t" /* a row */                          \
  "ldm sp, {r0, r2-r11}\n\t"                     \
  "cmp r10, r11\n\t"                             \
  "bhi.w 30f\n\t"                                \
  "11:\n\t" /* a chunk of r10 bytes */           \
  "add r10, r10, r1\n\t"                         \
  "str r10, [sp, #128]\n\t"                      \
  "cmp r1, r10\n\t"                              \
  "beq.w 13f\n\t"                                \
  "12:\n\t"                                      \
  "ldr lr, [r1]\n\t"                             \
  unit                                           \
  "add r1, r1, #" unit_bytes "\n\t"              \
  "add.w r0, r0, #1024\n\t"                      \
  "ldr r10, [sp, #128]\n\t"                      \
  "cmp r1, r10\n\t"                              \
  "bne.w 12b\n\t"                                \
  "13:\n\t"                                      \
  "ldr r10, [sp, #56]\n\t"                       \
  "cmp r10, #0\n\t"                              \
  "bne.w 32f\n\t"                                \
  "ldr r10, [sp, #140]\n\t"                      \
  "cmp r10, #0\n\t"                              \
  "beq.w 15f\n\t"                                \
  "ldr lr, [r1], #4\n\t"                         \
  "add r10, r10, r1\n\t"                         \
  "str r10, [sp, #128]\n\t"                      \
  "14:\n\t"                                      \
  rest                                           \
  "add r1, r1, #4\n\t"                           \
  "add.w r0, r0, #" rest_bytes "\n\t"            \
  "ldr r10, [sp, #128]\n\t"                      \
  "cmp r1, r10\n\t"                              \
  "bne.w 14b\n\t"                                \
  "15:\n\t"                                      \
  "ldrd r10, r11, [sp, #36]\n\t"                 \
  "cmp r10, r11\n\t"                             \
  "bhi.w 33f\n\t"                                \
  SPK_FIND_CHANNEL                               \
  SPK_FINISH_SUMS                                \
  SPK_SCALE_AND_STORE                            \
  "30:\n\t" /* a row of several chunks */        \
  "str r10, [sp, #56]\n\t"                       \
  SPK_CLEAR_SUMS                                 \
  "31:\n\t"                                      \
  SPK_NEXT_RUN                                   \
  SPK_EMPTY_LANES                                \
  "b.w 11b\n\t"                                  \
  "32:\n\t"                                      \
  SPK_SPILL_LANES                                \
  "b.w 31b\n\t"                                  \
  "33:\n\t"                                      \
  SPK_SPILL_LANES                                \
  SPK_FINISH_SPILLED_SUMS

SPK_NAKED const uint8_t *spk_rows_s8_groups4__armv7em(const int32_t *tile, int32_t most,
                                                      const uint8_t *groups,
                                                      const spk_channel *channels,
                                                      int8_t *output, int32_t out_c,
                                                      int32_t units, int32_t rest) {
  __asm__ volatile(ROWS(UNIT_OF_4, "20", REST_OF_4, "256"));
}

SPK_NAKED const uint8_t *spk_rows_s8_groups8__armv7em(const int32_t *tile, int32_t most,
                                                      const uint8_t *groups,
                                                      const spk_channel *channels,
                                                      int8_t *output, int32_t out_c,
                                                      int32_t units, int32_t rest) {
  __asm__ volatile(ROWS(UNIT_OF_8, "12", REST_OF_8, "512"));
}
// clang-format on

#endif
