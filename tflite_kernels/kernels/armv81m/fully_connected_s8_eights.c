// FULLY_CONNECTED, int8, over eights_s8, for MVE: sixteen weights take one load, one gather of
// their inputs and one VMLADAVA. Eight rows have an accumulator each and end together, wherever
// their outputs lie: biases and scales are gathered, results scattered. The input stays int8,
// its offset is in the bias.
#include "spk/eights_mve.h"
#include "spk/kernels_s8.h"
#include "spk/requantize_rows_mve.h"
#include "spk/requantize_rows_s8.h"

#if SPK_MVE

#pragma GCC diagnostic ignored "-Wunused-parameter"  // the assembly finds them in registers

// clang-format off
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

SPK_MVE_NAKED static void outputs_of_bytes(const int8_t *x, const uint8_t *blob,
                                           int32_t eights, const spk_row_ends *ends) {
  SPK_MVE_EIGHTS("", "", BYTES, SPK_MVE_OUTPUTS);
}

SPK_MVE_NAKED static void outputs_of_words(const int8_t *x, const uint8_t *blob,
                                           int32_t eights, const spk_row_ends *ends) {
  SPK_MVE_EIGHTS("", "", WORDS, SPK_MVE_OUTPUTS);
}

SPK_MVE_NAKED static void sums_of_bytes(const int8_t *x, const uint8_t *blob, int32_t eights,
                                        const spk_row_ends *ends) {
  SPK_MVE_EIGHTS("", "", BYTES, SPK_MVE_SUMS);
}

SPK_MVE_NAKED static void sums_of_words(const int8_t *x, const uint8_t *blob, int32_t eights,
                                        const spk_row_ends *ends) {
  SPK_MVE_EIGHTS("", "", WORDS, SPK_MVE_SUMS);
}
// clang-format on

SPK_INLINE void all_rows(const int8_t *x, const uint8_t *blob, int32_t rows, int32_t block,
                         const spk_row_ends *ends, int round_up) {
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

static void all_rows(const int8_t *x, const uint8_t *blob, int32_t rows, int32_t block,
                     const spk_row_ends *ends, int round_up) {
  const int32_t group_bytes = spk_lanes_group_bytes(block);
  for (int32_t done = 0; done < rows; done += SPK_EIGHT) {
    const int32_t groups = spk_lanes_u16(blob);
    for (int32_t i = 0; i < SPK_EIGHT; ++i) {
      const uint8_t *const first = blob + SPK_EIGHTS_HEADER + i * group_bytes;
      spk_end_row(spk_lanes_u16(blob + 2 + 2 * i), sum_of_row(x, first, groups, block), ends,
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
  spk_row_ends ends = {bias,       q->multiplier, q->shift, NULL, q->output_offset,
                       q->act_min, q->act_max,    sums,     NULL};
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
