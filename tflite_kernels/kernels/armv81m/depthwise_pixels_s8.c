// A pixel of a depthwise convolution in assembly: 23 instructions for two taps of sixteen
// channels, 32 products. Those of two taps are added in 16 bits, the sums of them in 32.
#include "spk/depthwise_mve.h"

#if SPK_MVE

#pragma GCC diagnostic ignored "-Wunused-parameter"  // the assembly finds them in registers

// clang-format off
#define LOAD(q, from)      "vldrb.u8 " q ", [" from "]\n\t"
#define LOAD_SOME(q, from) "vpst\n\t" "vldrbt.u8 " q ", [" from "]\n\t"
#define STORE              "vstrb.8 q0, [r12]\n\t"
#define STORE_SOME         "vpst\n\t" "vstrbt.8 q0, [r12]\n\t"
#define ALL                ""
#define SOME               "ldr r12, [r3, #36]\n\t" "vctp.8 r12\n\t"

#define WIDEN(sum, half, product)                \
  "vmovl" half ".s16 q1, " product "\n\t"        \
  "vadd.i32 " sum ", " sum ", q1\n\t"
#define SCALE(sum)                               \
  "vldrw.u32 q0, [r2], #16\n\t"                  \
  "vqrdmulh.s32 " sum ", " sum ", q0\n\t"        \
  "vldrw.u32 q1, [r2], #16\n\t"                  \
  "vshr.s32 q0, " sum ", #31\n\t"                \
  "vadd.i32 " sum ", " sum ", q0\n\t"            \
  "vrshl.s32 " sum ", " sum ", q1\n\t"

// r0 are the taps, r1 the weights, r2 the ends, r3 the job, r4 the output, r5 the pairs, r10 the
// sixteens left, r11 the channel.
#define PIXEL(begin, load, store)                \
  __asm__ volatile(                              \
      "sub sp, sp, #104\n\t"                     \
      "stm sp, {r4-r11, lr}\n\t"                 \
      "add r12, sp, #40\n\t"                     \
      "vstmia r12, {d8-d15}\n\t"                 \
      "mov r3, r1\n\t"                           \
      "ldm r3, {r1, r2, r4, r5, r10}\n\t"        \
      "mov r11, #0\n\t"                          \
      begin                                      \
      "10:\n\t"                                  \
      "vldrw.u32 q4, [r2], #16\n\t"              \
      "vldrw.u32 q5, [r2], #16\n\t"              \
      "vldrw.u32 q6, [r2], #16\n\t"              \
      "vldrw.u32 q7, [r2], #16\n\t"              \
      "mov r6, r0\n\t"                           \
      "dls lr, r5\n\t"                           \
      "11:\n\t"                                  \
      "ldrd r7, r8, [r6], #8\n\t"                \
      "add r7, r7, r11\n\t"                      \
      load("q0", "r7")                           \
      "vldrb.u8 q1, [r1], #16\n\t"               \
      "vmullb.s8 q2, q0, q1\n\t"                 \
      "vmullt.s8 q0, q0, q1\n\t"                 \
      "add r8, r8, r11\n\t"                      \
      load("q1", "r8")                           \
      "vldrb.u8 q3, [r1]\n\t"                    \
      "vmullb.s8 q3, q1, q3\n\t"                 \
      "vadd.i16 q2, q2, q3\n\t"                  \
      "vldrb.u8 q3, [r1], #16\n\t"               \
      "vmullt.s8 q1, q1, q3\n\t"                 \
      "vadd.i16 q0, q0, q1\n\t"                  \
      WIDEN("q4", "b", "q2") WIDEN("q5", "t", "q2") \
      WIDEN("q6", "b", "q0") WIDEN("q7", "t", "q0") \
      "le lr, 11b\n\t"                           \
      SCALE("q4") SCALE("q5")                    \
      SCALE("q6") SCALE("q7")                    \
      "ldrd r6, r7, [r3, #24]\n\t"               \
      "ldr r8, [r3, #32]\n\t"                    \
      "vqmovnb.s32 q2, q4\n\t"                   \
      "vqmovnt.s32 q2, q5\n\t"                   \
      "vqmovnb.s32 q3, q6\n\t"                   \
      "vqmovnt.s32 q3, q7\n\t"                   \
      "vqadd.s16 q2, q2, r6\n\t"                 \
      "vqadd.s16 q3, q3, r6\n\t"                 \
      "vqmovnb.s16 q0, q2\n\t"                   \
      "vqmovnt.s16 q0, q3\n\t"                   \
      "vdup.8 q1, r7\n\t"                        \
      "vmax.s8 q0, q0, q1\n\t"                   \
      "vdup.8 q1, r8\n\t"                        \
      "vmin.s8 q0, q0, q1\n\t"                   \
      "add r12, r4, r11\n\t"                     \
      store                                      \
      "ldr r12, [r3, #20]\n\t"                   \
      "add r11, r11, #16\n\t"                    \
      "cmp r11, r12\n\t"                         \
      "it gt\n\t"                                \
      "movgt r11, r12\n\t"                       \
      "subs r10, r10, #1\n\t"                    \
      "bgt.w 10b\n\t"                            \
      "add r12, sp, #40\n\t"                     \
      "vldmia r12, {d8-d15}\n\t"                 \
      "ldm sp, {r4-r11, lr}\n\t"                 \
      "add sp, sp, #104\n\t"                     \
      "bx lr\n\t")

SPK_MVE_NAKED void spk_depthwise_pixel__mve(const int8_t *const *taps,
                                            const spk_depthwise_job *job) {
  PIXEL(ALL, LOAD, STORE);
}

SPK_MVE_NAKED void spk_depthwise_narrow_pixel__mve(const int8_t *const *taps,
                                                   const spk_depthwise_job *job) {
  PIXEL(SOME, LOAD_SOME, STORE_SOME);
}
// clang-format on

#endif
