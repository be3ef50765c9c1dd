// Rows of lanes_s8 with single columns over a tile of eight pixels, in assembly (see
// spk/armv81m.h): 29 instructions for 128 products.
#include "spk/armv81m.h"

#if SPK_MVE

#pragma GCC diagnostic ignored "-Wunused-parameter"  // the assembly finds them in registers

// clang-format off
// Gathers the bytes of one pixel, `next` goes to the one after it.
#define PIXEL(acc, next)                         \
  "vldrb.u8 q2, [r5, q0]\n\t"                    \
  "vmladava.s8 " acc ", q2, q1\n\t"              \
  next
#define NEXT "add r5, r5, r7\n\t"

#define ROWS(nudge)                              \
  __asm__ volatile(                              \
      SPK_MVE_ENTER                              \
      "10:\n\t"                                  \
      SPK_MVE_BEGIN_ROW                          \
      "11:\n\t"                                  \
      "ldrh r5, [r1], #2\n\t"                    \
      "vldrb.u8 q0, [r1], #16\n\t"               \
      "vldrb.u8 q1, [r1], #16\n\t"               \
      "add r5, r5, r3\n\t"                       \
      PIXEL("r0", NEXT) PIXEL("r2", NEXT)        \
      PIXEL("r4", NEXT) PIXEL("r6", NEXT)        \
      PIXEL("r8", NEXT) PIXEL("r10", NEXT)       \
      PIXEL("r12", NEXT) PIXEL("lr", "")         \
      "subs r11, r11, #1\n\t"                    \
      "bne.w 11b\n\t"                            \
      SPK_MVE_END_ROW(nudge)                     \
      SPK_MVE_LEAVE)

SPK_MVE_NAKED const uint8_t *spk_rows_s8_bytes__mve(const int8_t *tile, int32_t stride,
                                                    const uint8_t *lanes,
                                                    const spk_mve_channel *channels,
                                                    int8_t *output, const spk_mve_end *end) {
  ROWS(SPK_MVE_NUDGE);
}

SPK_MVE_NAKED const uint8_t *spk_rows_s8_bytes_floor__mve(const int8_t *tile, int32_t stride,
                                                          const uint8_t *lanes,
                                                          const spk_mve_channel *channels,
                                                          int8_t *output,
                                                          const spk_mve_end *end) {
  ROWS("");
}
// clang-format on

#endif
