// Rows of lanes_s8 with blocks of four columns over a tile of eight pixels, in assembly (see
// spk/armv81m.h): 21 instructions for 128 products. Four blocks of a pixel are one gather of
// words, whose addresses are a vector: the pixel is an offset in the instruction.
#include "spk/armv81m.h"

#if SPK_MVE

#pragma GCC diagnostic ignored "-Wunused-parameter"  // the assembly finds them in registers

// clang-format off
#define PIXEL(acc, offset)                       \
  "vldrw.u32 q2, [q0, #" offset "]\n\t"          \
  "vmladava.s8 " acc ", q2, q1\n\t"

// q3 holds the 32 bytes of a column of the tile.
#define ROWS(nudge)                              \
  __asm__ volatile(                              \
      SPK_MVE_ENTER                              \
      "mov r4, #32\n\t"                          \
      "vdup.32 q3, r4\n\t"                       \
      "10:\n\t"                                  \
      SPK_MVE_BEGIN_ROW                          \
      "11:\n\t"                                  \
      "vldrh.u32 q0, [r1], #8\n\t"               \
      "vldrb.u8 q1, [r1], #16\n\t"               \
      "vmlas.u32 q0, q3, r3\n\t"                 \
      PIXEL("r0", "0") PIXEL("r2", "4")          \
      PIXEL("r4", "8") PIXEL("r6", "12")         \
      PIXEL("r8", "16") PIXEL("r10", "20")       \
      PIXEL("r12", "24") PIXEL("lr", "28")       \
      "subs r11, r11, #1\n\t"                    \
      "bne.w 11b\n\t"                            \
      SPK_MVE_END_ROW(nudge)                     \
      SPK_MVE_LEAVE)

SPK_MVE_NAKED const uint8_t *spk_rows_s8_words__mve(const int8_t *tile, int32_t stride,
                                                    const uint8_t *lanes,
                                                    const spk_mve_channel *channels,
                                                    int8_t *output, const spk_mve_end *end) {
  ROWS(SPK_MVE_NUDGE);
}

SPK_MVE_NAKED const uint8_t *spk_rows_s8_words_floor__mve(const int8_t *tile, int32_t stride,
                                                          const uint8_t *lanes,
                                                          const spk_mve_channel *channels,
                                                          int8_t *output,
                                                          const spk_mve_end *end) {
  ROWS("");
}
// clang-format on

#endif
