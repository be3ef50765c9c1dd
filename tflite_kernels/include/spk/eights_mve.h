// FULLY_CONNECTED by eights of rows for MVE: the assembly that sparse and dense weights share.
#ifndef SPK_EIGHTS_MVE_H_
#define SPK_EIGHTS_MVE_H_

#include "spk/armv81m.h"
#include "spk/eights_s8.h"

// How the rows end, as the assembly reads it.
typedef struct spk_row_ends {
  const int32_t *bias, *multiplier, *shift;
  int8_t *output;
  int32_t output_offset, act_min, act_max;
  int32_t *sums;
  const int8_t *input;
} spk_row_ends;

// A row in plain C.
SPK_INLINE void spk_end_row(int32_t row, int32_t sum, const spk_row_ends *ends, int round_up) {
  sum = (int32_t)((uint32_t)sum + (uint32_t)ends->bias[row]);
  ends->sums[row] = sum;
  if (!round_up) return;
  const int32_t scaled = spk_scale_up_s8(sum, ends->multiplier[row], ends->shift[row]);
  ends->output[row] =
      (int8_t)spk_clamp(scaled + ends->output_offset, ends->act_min, ends->act_max);
}

// clang-format off
// r1 is the blob, r3 the input, r5 the ends, r9 the eights left, r11 the groups left; q4 and q5
// are act_max and act_min, q7 the rows. Accumulators are taken so that the first, third, fifth
// and seventh row lie side by side in q0 and the others in q1: such halves of q7 are their
// numbers. `begin` stands before an eight, `all` before a group of each row.
#define SPK_MVE_EIGHTS(begin, all, group, end)                       \
  __asm__ volatile(                              \
      "sub sp, sp, #104\n\t"                     \
      "stm sp, {r4-r11, lr}\n\t"                 \
      "add r12, sp, #40\n\t"                     \
      "vstmia r12, {d8-d15}\n\t"                 \
      "mov r9, r2\n\t"                           \
      "mov r5, r3\n\t"                           \
      "mov r3, r0\n\t"                           \
      "ldrd r4, r6, [r5, #20]\n\t"               \
      "vdup.16 q5, r4\n\t"                       \
      "vdup.16 q4, r6\n\t"                       \
      "10:\n\t"                                  \
      "ldrh r11, [r1], #2\n\t"                   \
      "vldrh.u16 q7, [r1], #16\n\t"              \
      "adr.w r7, 99f\n\t"                        \
      "ldm r7, {r0, r2, r4, r6, r8, r10, r12, lr}\n\t" \
      begin                                      \
      "11:\n\t"                                  \
      all                                        \
      group("r0") group("r8")                    \
      group("r2") group("r10")                   \
      group("r4") group("r12")                   \
      group("r6") group("lr")                    \
      "subs r11, r11, #1\n\t"                    \
      "bne.w 11b\n\t"                            \
      "vmov q0[2], q0[0], r0, r4\n\t"            \
      "vmov q0[3], q0[1], r2, r6\n\t"            \
      "vmov q1[2], q1[0], r8, r12\n\t"           \
      "vmov q1[3], q1[1], r10, lr\n\t"           \
      "vmovlb.u16 q2, q7\n\t"                    \
      "vmovlt.u16 q3, q7\n\t"                    \
      end                                        \
      "subs r9, r9, #1\n\t"                      \
      "bgt.w 10b\n\t"                            \
      "add r12, sp, #40\n\t"                     \
      "vldmia r12, {d8-d15}\n\t"                 \
      "ldm sp, {r4-r11, lr}\n\t"                 \
      "add sp, sp, #104\n\t"                     \
      "bx lr\n\t"                                \
      ".balign 4\n\t"                            \
      "99:\n\t"                                  \
      ".word 0, 0, 0, 0, 0, 0, 0, 0\n\t")

// VQDMULH truncates, so that the shift rounds the whole product once, halves up.
#define SPK_MVE_SCALED(sums, rows)                       \
  "vldrw.u32 q6, [r0, " rows ", uxtw #2]\n\t"    \
  "vadd.i32 " sums ", " sums ", q6\n\t"          \
  "vldrw.u32 q6, [r2, " rows ", uxtw #2]\n\t"    \
  "vqdmulh.s32 " sums ", " sums ", q6\n\t"       \
  "vldrw.u32 q6, [r4, " rows ", uxtw #2]\n\t"    \
  "vrshl.s32 " sums ", " sums ", q6\n\t"
#define SPK_MVE_OUTPUTS                                  \
  "ldm r5, {r0, r2, r4, r6, r8}\n\t"             \
  SPK_MVE_SCALED("q0", "q2") SPK_MVE_SCALED("q1", "q3")          \
  "vqmovnb.s32 q2, q0\n\t"                       \
  "vqmovnt.s32 q2, q1\n\t"                       \
  "vqadd.s16 q2, q2, r8\n\t"                     \
  "vmax.s16 q2, q2, q5\n\t"                      \
  "vmin.s16 q2, q2, q4\n\t"                      \
  "vstrb.16 q2, [r6, q7]\n\t"

// With the bias, to be scaled later.
#define SPK_MVE_SUMS                                     \
  "ldr r0, [r5]\n\t"                             \
  "ldr r2, [r5, #28]\n\t"                        \
  "vldrw.u32 q6, [r0, q2, uxtw #2]\n\t"          \
  "vadd.i32 q0, q0, q6\n\t"                      \
  "vstrw.32 q0, [r2, q2, uxtw #2]\n\t"           \
  "vldrw.u32 q6, [r0, q3, uxtw #2]\n\t"          \
  "vadd.i32 q1, q1, q6\n\t"                      \
  "vstrw.32 q1, [r2, q3, uxtw #2]\n\t"
// clang-format on

#endif  // SPK_EIGHTS_MVE_H_
