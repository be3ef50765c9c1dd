// FULLY_CONNECTED, int8, over eights_s8, for MVE: sixteen weights take one load, one gather of
// their inputs and one VMLADAVA. Eight rows have an accumulator each and end together, wherever
// their outputs lie: biases and scales are gathered, results scattered. The input stays int8,
// its offset is in the bias.
#include "spk/armv81m.h"
#include "spk/eights_s8.h"
#include "spk/kernels_s8.h"
#include "spk/requantize_rows_mve.h"
#include "spk/requantize_rows_s8.h"

// How the rows end, as the assembly reads it.
typedef struct row_ends {
  const int32_t *bias, *multiplier, *shift;
  int8_t *output;
  int32_t output_offset, act_min, act_max;
  int32_t *sums;
} row_ends;

#if SPK_MVE

#pragma GCC diagnostic ignored "-Wunused-parameter"  // the assembly finds them in registers

// clang-format off
// r1 is the blob, r3 the input, r5 the ends, r9 the eights left, r11 the groups left; q4 and q5
// are act_max and act_min, q7 the rows. Accumulators are taken so that the first, third, fifth
// and seventh row lie side by side in q0 and the others in q1: such halves of q7 are their
// numbers.
#define EIGHTS(group, end)                       \
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
      "11:\n\t"                                  \
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

#define BYTES(acc)                               \
  "ldrh r7, [r1], #2\n\t"                        \
  "vldrb.u8 q0, [r1], #16\n\t"                   \
  "vldrb.u8 q1, [r1], #16\n\t"                   \
  "add r7, r7, r3\n\t"                           \
  "vldrb.u8 q2, [r7, q0]\n\t"                    \
  "vmladava.s8 " acc ", q2, q1\n\t"
#define WORDS(acc)                               \
  "vldrh.u32 q0, [r1], #8\n\t"                   \
  "vldrb.u8 q1, [r1], #16\n\t"                   \
  "vldrw.u32 q2, [r3, q0, uxtw #2]\n\t"          \
  "vmladava.s8 " acc ", q2, q1\n\t"

// VQDMULH truncates, so that the shift rounds the whole product once, halves up.
#define SCALED(sums, rows)                       \
  "vldrw.u32 q6, [r0, " rows ", uxtw #2]\n\t"    \
  "vadd.i32 " sums ", " sums ", q6\n\t"          \
  "vldrw.u32 q6, [r2, " rows ", uxtw #2]\n\t"    \
  "vqdmulh.s32 " sums ", " sums ", q6\n\t"       \
  "vldrw.u32 q6, [r4, " rows ", uxtw #2]\n\t"    \
  "vrshl.s32 " sums ", " sums ", q6\n\t"
#define OUTPUTS                                  \
  "ldm r5, {r0, r2, r4, r6, r8}\n\t"             \
  SCALED("q0", "q2") SCALED("q1", "q3")          \
  "vqmovnb.s32 q2, q0\n\t"                       \
  "vqmovnt.s32 q2, q1\n\t"                       \
  "vqadd.s16 q2, q2, r8\n\t"                     \
  "vmax.s16 q2, q2, q5\n\t"                      \
  "vmin.s16 q2, q2, q4\n\t"                      \
  "vstrb.16 q2, [r6, q7]\n\t"

// With the bias, to be scaled later.
#define SUMS                                     \
  "ldr r0, [r5]\n\t"                             \
  "ldr r2, [r5, #28]\n\t"                        \
  "vldrw.u32 q6, [r0, q2, uxtw #2]\n\t"          \
  "vadd.i32 q0, q0, q6\n\t"                      \
  "vstrw.32 q0, [r2, q2, uxtw #2]\n\t"           \
  "vldrw.u32 q6, [r0, q3, uxtw #2]\n\t"          \
  "vadd.i32 q1, q1, q6\n\t"                      \
  "vstrw.32 q1, [r2, q3, uxtw #2]\n\t"

SPK_MVE_NAKED static void outputs_of_bytes(const int8_t *x, const uint8_t *blob,
                                           int32_t eights, const row_ends *ends) {
  EIGHTS(BYTES, OUTPUTS);
}

SPK_MVE_NAKED static void outputs_of_words(const int8_t *x, const uint8_t *blob,
                                           int32_t eights, const row_ends *ends) {
  EIGHTS(WORDS, OUTPUTS);
}

SPK_MVE_NAKED static void sums_of_bytes(const int8_t *x, const uint8_t *blob, int32_t eights,
                                        const row_ends *ends) {
  EIGHTS(BYTES, SUMS);
}

SPK_MVE_NAKED static void sums_of_words(const int8_t *x, const uint8_t *blob, int32_t eights,
                                        const row_ends *ends) {
  EIGHTS(WORDS, SUMS);
}
// clang-format on

SPK_INLINE void all_rows(const int8_t *x, const uint8_t *blob, int32_t rows, int32_t block,
                         const row_ends *ends, int round_up) {
  const int32_t eights = (rows + SPK_EIGHT - 1) / SPK_EIGHT;
  if (round_up) {
    (block == 1 ? outputs_of_bytes : outputs_of_words)(x, blob, eights, ends);
  } else {
    (block == 1 ? sums_of_bytes : sums_of_words)(x, blob, eights, ends);
  }
}

#else

static int32_t sum_of_row(const int8_t *x, const uint8_t *group, int32_t groups,
                          int32_t block) {
  int32_t sum = 0;
  for (; groups > 0; --groups, group += SPK_EIGHT * spk_lanes_group_bytes(block)) {
    for (int32_t lane = 0; lane < SPK_LANES; ++lane) {
      const int8_t weight = (int8_t)group[spk_lanes_weights_at(block) + lane];
      sum += x[spk_lanes_column(group, block, lane)] * weight;
    }
  }
  return sum;
}

static void end_row(int32_t row, int32_t sum, const row_ends *ends, int round_up) {
  sum = (int32_t)((uint32_t)sum + (uint32_t)ends->bias[row]);
  ends->sums[row] = sum;
  if (!round_up) return;
  const int32_t scaled = spk_scale_up_s8(sum, ends->multiplier[row], ends->shift[row]);
  ends->output[row] =
      (int8_t)spk_clamp(scaled + ends->output_offset, ends->act_min, ends->act_max);
}

static void all_rows(const int8_t *x, const uint8_t *blob, int32_t rows, int32_t block,
                     const row_ends *ends, int round_up) {
  const int32_t group_bytes = spk_lanes_group_bytes(block);
  for (int32_t done = 0; done < rows; done += SPK_EIGHT) {
    const int32_t groups = spk_lanes_u16(blob);
    for (int32_t i = 0; i < SPK_EIGHT; ++i) {
      const uint8_t *const first = blob + SPK_EIGHTS_HEADER + i * group_bytes;
      end_row(spk_lanes_u16(blob + 2 + 2 * i), sum_of_row(x, first, groups, block), ends,
              round_up);
    }
    blob += SPK_EIGHTS_HEADER + (ptrdiff_t)groups * SPK_EIGHT * group_bytes;
  }
}

#endif

size_t spk_fully_connected_s8_eights__mve_scratch(int32_t rows) {
  return (size_t)rows * sizeof(int32_t);
}

SPK_INLINE void multiply(int32_t batch, int32_t rows, int32_t cols, const spk_requant *q,
                         const int8_t *input, const uint8_t *blob, const int32_t *bias,
                         int8_t *output, int32_t *sums, int32_t block) {
  row_ends ends = {bias,       q->multiplier, q->shift, NULL, q->output_offset,
                   q->act_min, q->act_max,    sums};
  for (int32_t b = 0; b < batch; ++b, input += cols, output += rows) {
    ends.output = output;
    all_rows(input, blob, rows, block, &ends, q->round_up);
    if (!q->round_up) spk_requantize_rows_once_s8__mve(sums, 0, rows, q, output);
  }
}

void spk_fully_connected_s8_bytes__mve(int32_t batch, int32_t rows, int32_t cols,
                                       const spk_requant *q, const int8_t *input,
                                       const uint8_t *eights, const int32_t *bias,
                                       int8_t *output, void *scratch) {
  multiply(batch, rows, cols, q, input, eights, bias, output, scratch, 1);
}

void spk_fully_connected_s8_words__mve(int32_t batch, int32_t rows, int32_t cols,
                                       const spk_requant *q, const int8_t *input,
                                       const uint8_t *eights, const int32_t *bias,
                                       int8_t *output, void *scratch) {
  multiply(batch, rows, cols, q, input, eights, bias, output, scratch, 4);
}
