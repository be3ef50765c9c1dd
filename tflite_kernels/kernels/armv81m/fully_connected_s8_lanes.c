// FULLY_CONNECTED, int8, over lanes_s8, for MVE: sixteen weights take one load, one gather of
// their inputs and one VMLADAVA. The input stays int8, its offset is in the bias.
#include "spk/armv81m.h"
#include "spk/kernels_s8.h"
#include "spk/lanes_s8.h"
#include "spk/requantize_rows_mve.h"
#include "spk/requantize_rows_s8.h"

// sums[] = bias[] + the sums of `count` rows; returns the row that follows.
typedef const uint8_t *some_rows(const int8_t *x, const uint8_t *lanes, const int32_t *bias,
                                 int32_t count, int32_t *sums);

#if SPK_MVE

#pragma GCC diagnostic ignored "-Wunused-parameter"  // the assembly finds them in registers

// clang-format off
// Groups stand in a line, which `jump` enters where as many are left as a row has: r12 groups
// before r6, where the line ends. Longer rows turn in a loop.
#define GROUP(inputs) inputs "vmladava.s8 r4, q2, q1\n\t"
#define ROWS(jump, inputs)                       \
  __asm__ volatile(                              \
      "sub sp, sp, #16\n\t"                      \
      "stm sp, {r4-r6, lr}\n\t"                  \
      "ldr r5, [sp, #16]\n\t"                    \
      "dls lr, r3\n\t"                           \
      "adr.w r6, 30f\n\t"                        \
      "orr r6, r6, #1\n\t"                       \
      "10:\n\t"                                  \
      "ldrh r12, [r1], #2\n\t"                   \
      "ldr r4, [r2], #4\n\t"                     \
      "cmp r12, #32\n\t"                         \
      "bhi.w 20f\n\t"                            \
      jump                                       \
      "bx r12\n\t"                               \
      ".balign 4\n\t"                            \
      ".rept 32\n\t" GROUP(inputs) ".endr\n\t"   \
      "30:\n\t"                                  \
      "str r4, [r5], #4\n\t"                     \
      "le lr, 10b\n\t"                           \
      "mov r0, r1\n\t"                           \
      "ldm sp, {r4-r6, lr}\n\t"                  \
      "add sp, sp, #16\n\t"                      \
      "bx lr\n\t"                                \
      "20:\n\t"                                  \
      "mov r3, lr\n\t"                           \
      "dls lr, r12\n\t"                          \
      "21:\n\t"                                  \
      GROUP(inputs)                              \
      "le lr, 21b\n\t"                           \
      "mov lr, r3\n\t"                           \
      "b.w 30b\n\t")

// 24 bytes of code a group.
SPK_MVE_NAKED static const uint8_t *rows_of_bytes(const int8_t *x, const uint8_t *lanes,
                                                  const int32_t *bias, int32_t count,
                                                  int32_t *sums) {
  ROWS("add.w r12, r12, r12, lsl #1\n\t"
       "sub.w r12, r6, r12, lsl #3\n\t",
       "ldrh.w r12, [r1], #2\n\t"
       "vldrb.u8 q0, [r1], #16\n\t"
       "vldrb.u8 q1, [r1], #16\n\t"
       "add.w r12, r12, r0\n\t"
       "vldrb.u8 q2, [r12, q0]\n\t");
}

// 16 bytes of code a group.
SPK_MVE_NAKED static const uint8_t *rows_of_words(const int8_t *x, const uint8_t *lanes,
                                                  const int32_t *bias, int32_t count,
                                                  int32_t *sums) {
  ROWS("sub.w r12, r6, r12, lsl #4\n\t",
       "vldrh.u32 q0, [r1], #8\n\t"
       "vldrb.u8 q1, [r1], #16\n\t"
       "vldrw.u32 q2, [r0, q0, uxtw #2]\n\t");
}
// clang-format on

#else

static const uint8_t *rows_in_c(const int8_t *x, const uint8_t *lanes, const int32_t *bias,
                                int32_t count, int32_t *sums, int32_t block) {
  for (int32_t r = 0; r < count; ++r) {
    int32_t groups = spk_lanes_u16(lanes);
    uint32_t sum = (uint32_t)bias[r];  // wraps around: the whole is in range
    lanes += SPK_LANES_HEADER;
    for (; groups > 0; --groups, lanes += spk_lanes_group_bytes(block)) {
      for (int32_t lane = 0; lane < SPK_LANES; ++lane) {
        const int8_t weight = (int8_t)lanes[spk_lanes_weights_at(block) + lane];
        sum += (uint32_t)(x[spk_lanes_column(lanes, block, lane)] * weight);
      }
    }
    sums[r] = (int32_t)sum;
  }
  return lanes;
}

static const uint8_t *rows_of_bytes(const int8_t *x, const uint8_t *lanes, const int32_t *bias,
                                    int32_t count, int32_t *sums) {
  return rows_in_c(x, lanes, bias, count, sums, 1);
}

static const uint8_t *rows_of_words(const int8_t *x, const uint8_t *lanes, const int32_t *bias,
                                    int32_t count, int32_t *sums) {
  return rows_in_c(x, lanes, bias, count, sums, 4);
}

#endif

SPK_INLINE void multiply(int32_t batch, int32_t rows, int32_t cols, const spk_requant *q,
                         const int8_t *input, const uint8_t *lanes, const int32_t *bias,
                         int8_t *output, some_rows *some) {
  for (int32_t b = 0; b < batch; ++b, input += cols, output += rows) {
    const uint8_t *row = lanes;
    for (int32_t first = 0; first < rows; first += SPK_ROWS_AT_ONCE) {
      const int32_t left = rows - first;
      const int32_t count = left < SPK_ROWS_AT_ONCE ? left : SPK_ROWS_AT_ONCE;
      int32_t sums[SPK_ROWS_AT_ONCE];
      row = some(input, row, bias + first, count, sums);
      spk_requantize_rows_once_s8__mve(sums, first, count, q, output);
    }
  }
}

void spk_fully_connected_s8_bytes__mve(int32_t batch, int32_t rows, int32_t cols,
                                       const spk_requant *q, const int8_t *input,
                                       const uint8_t *lanes, const int32_t *bias,
                                       int8_t *output) {
  multiply(batch, rows, cols, q, input, lanes, bias, output, rows_of_bytes);
}

void spk_fully_connected_s8_words__mve(int32_t batch, int32_t rows, int32_t cols,
                                       const spk_requant *q, const int8_t *input,
                                       const uint8_t *lanes, const int32_t *bias,
                                       int8_t *output) {
  multiply(batch, rows, cols, q, input, lanes, bias, output, rows_of_words);
}
