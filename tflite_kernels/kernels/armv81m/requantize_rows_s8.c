// The sums of one FULLY_CONNECTED input to int8, four at a time: spk_scale_once_s8 in vectors.
#include "spk/requantize_rows_s8.h"

#include "spk/armv81m.h"
#include "spk/requantize_rows_mve.h"

#if SPK_MVE

typedef struct rows_scale {
  const int32_t *multiplier;
  const uint32_t *low;
  const int32_t *shift;
  int32_t output_offset, act_min, act_max;
} rows_scale;

#pragma GCC diagnostic ignored "-Wunused-parameter"  // the assembly finds them in registers

// clang-format off
// Returns the largest shift. Sizes are scaled, not sums, since ties go away from zero:
// q3 = upper half of size * multiplier + (size * low >> 32), the carry of which is compared.
#define SCALE(next)                              \
  __asm__ volatile(                              \
      "sub sp, sp, #88\n\t"                      \
      "stm sp, {r4-r8, lr}\n\t"                  \
      "add r12, sp, #24\n\t"                     \
      "vstmia r12, {d8-d15}\n\t"                 \
      "ldm r3, {r4-r8, r12}\n\t"                 \
      "vdup.32 q4, r8\n\t"                       \
      "vdup.32 q5, r12\n\t"                      \
      "mvn r8, #255\n\t"                        \
      "vdup.32 q6, r8\n\t"                       \
      "mov r12, #1\n\t"                          \
      "wlstp.32 lr, r1, 2f\n\t"                  \
      "1:\n\t"                                   \
      "vldrw.u32 q2, [r4]" next                  \
      "vldrw.u32 q0, [r0], #16\n\t"              \
      "vabs.s32 q1, q0\n\t"                      \
      "vmulh.u32 q3, q1, q2\n\t"                 \
      "vmul.i32 q2, q1, q2\n\t"                  \
      "vshr.s32 q7, q0, #31\n\t"                 \
      "vldrw.u32 q0, [r5]" next                  \
      "vmulh.u32 q1, q1, q0\n\t"                 \
      "vadd.i32 q1, q1, q2\n\t"                  \
      "vpt.u32 hi, q2, q1\n\t"                   \
      "vaddt.i32 q3, q3, r12\n\t"                \
      "vldrw.u32 q0, [r6]" next                  \
      "vmax.s32 q6, q6, q0\n\t"                  \
      "vadd.i32 q0, q0, r12\n\t"                 \
      "vrshl.u32 q3, q3, q0\n\t"                 \
      "veor q3, q3, q7\n\t"                      \
      "vsub.i32 q3, q3, q7\n\t"                  \
      "vadd.i32 q3, q3, r7\n\t"                  \
      "vmax.s32 q3, q3, q4\n\t"                  \
      "vmin.s32 q3, q3, q5\n\t"                  \
      "vstrb.32 q3, [r2], #4\n\t"                \
      "letp lr, 1b\n\t"                          \
      "2:\n\t"                                   \
      "mvn r0, #255\n\t"                        \
      "vmaxv.s32 r0, q6\n\t"                     \
      "add r12, sp, #24\n\t"                     \
      "vldmia r12, {d8-d15}\n\t"                 \
      "ldm sp, {r4-r8, lr}\n\t"                  \
      "add sp, sp, #88\n\t"                      \
      "bx lr\n\t")

// One scale for each row.
SPK_MVE_NAKED static int32_t scale_rows(const int32_t *sum, int32_t rows, int8_t *output,
                                        const rows_scale *scale) {
  SCALE(", #16\n\t");
}

// One scale for all, four times.
SPK_MVE_NAKED static int32_t scale_alike(const int32_t *sum, int32_t rows, int8_t *output,
                                         const rows_scale *scale) {
  SCALE("\n\t");
}
// clang-format on

void spk_requantize_rows_once_s8__mve(const int32_t *sum, int32_t first, int32_t rows,
                                      const spk_requant *q, int8_t *output) {
  enum { LARGEST = -2 };  // shift beyond 32 bits
  int32_t largest = 0;
  if (q->multiplier_low != NULL && q->per_tensor) {
    const int32_t m = q->multiplier[0], right = q->shift[0];
    const uint32_t low = q->multiplier_low[0];
    const int32_t multiplier[4] = {m, m, m, m}, shift[4] = {right, right, right, right};
    const uint32_t multiplier_low[4] = {low, low, low, low};
    const rows_scale scale = {multiplier,       multiplier_low, shift,
                              q->output_offset, q->act_min,     q->act_max};
    largest = scale_alike(sum, rows, output + first, &scale);
  } else if (q->multiplier_low != NULL) {
    const rows_scale scale = {q->multiplier + first,
                              q->multiplier_low + first,
                              q->shift + first,
                              q->output_offset,
                              q->act_min,
                              q->act_max};
    largest = scale_rows(sum, rows, output + first, &scale);
  }
  if (largest > LARGEST) spk_requantize_rows_once_s8(sum, first, rows, q, output);
}

#else

void spk_requantize_rows_once_s8__mve(const int32_t *sum, int32_t first, int32_t rows,
                                      const spk_requant *q, int8_t *output) {
  spk_requantize_rows_once_s8(sum, first, rows, q, output);
}

#endif
