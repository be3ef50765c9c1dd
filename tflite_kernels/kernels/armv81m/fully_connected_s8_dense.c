// FULLY_CONNECTED, int8, dense, for MVE: eight rows share every load of sixteen inputs. Their
// weights lie as in eights_s8, but for columns: sixteen of each row in turn, the last filled up
// with zeros. So is the input, where it has to be copied for that.
#include <string.h>

#include "spk/eights_mve.h"
#include "spk/kernels_s8.h"
#include "spk/requantize_rows_mve.h"

#if SPK_MVE

#pragma GCC diagnostic ignored "-Wunused-parameter"  // the assembly finds them in registers

// clang-format off
#define INPUT   "ldr r3, [r5, #32]\n\t"
#define SIXTEEN "vldrb.u8 q2, [r3], #16\n\t"
#define DENSE(acc)                               \
  "vldrb.u8 q1, [r1], #16\n\t"                   \
  "vmladava.s8 " acc ", q2, q1\n\t"

SPK_MVE_NAKED static void outputs(const int8_t *x, const uint8_t *blob, int32_t eights,
                                  const spk_row_ends *ends) {
  SPK_MVE_EIGHTS(INPUT, SIXTEEN, DENSE, SPK_MVE_OUTPUTS);
}

SPK_MVE_NAKED static void sums(const int8_t *x, const uint8_t *blob, int32_t eights,
                               const spk_row_ends *ends) {
  SPK_MVE_EIGHTS(INPUT, SIXTEEN, DENSE, SPK_MVE_SUMS);
}
// clang-format on

static void all_rows(const uint8_t *blob, int32_t rows, const spk_row_ends *ends,
                     int round_up) {
  const int32_t eights = (rows + SPK_EIGHT - 1) / SPK_EIGHT;
  (round_up ? outputs : sums)(ends->input, blob, eights, ends);
}

#else

static void all_rows(const uint8_t *blob, int32_t rows, const spk_row_ends *ends,
                     int round_up) {
  for (int32_t done = 0; done < rows; done += SPK_EIGHT) {
    const int32_t sixteens = spk_lanes_u16(blob);
    const uint8_t *const weights = blob + SPK_EIGHTS_HEADER;
    for (int32_t i = 0; i < SPK_EIGHT; ++i) {
      int32_t sum = 0;
      for (int32_t c = 0; c < SPK_LANES * sixteens; ++c) {
        const int32_t at = (c / SPK_LANES * SPK_EIGHT + i) * SPK_LANES + c % SPK_LANES;
        sum += ends->input[c] * (int8_t)weights[at];
      }
      spk_end_row(spk_lanes_u16(blob + 2 + 2 * i), sum, ends, round_up);
    }
    blob = weights + (ptrdiff_t)sixteens * SPK_EIGHT * SPK_LANES;
  }
}

#endif

size_t spk_fully_connected_s8_dense__mve_scratch(int32_t rows, int32_t cols) {
  const size_t copied = cols % SPK_LANES != 0 ? (size_t)(cols / SPK_LANES + 1) * SPK_LANES : 0;
  return (size_t)rows * sizeof(int32_t) + copied;
}

void spk_fully_connected_s8_dense__mve(int32_t batch, int32_t rows, int32_t cols,
                                       const spk_requant *q, const int8_t *input,
                                       const uint8_t *eights, const int32_t *bias,
                                       int8_t *output, void *scratch) {
  int32_t *const all = scratch;
  int8_t *const copy = (int8_t *)(all + rows);
  const int32_t missing = -cols & (SPK_LANES - 1);
  spk_row_ends ends = {bias,       q->multiplier, q->shift, NULL, q->output_offset,
                       q->act_min, q->act_max,    all,      NULL};
  for (int32_t b = 0; b < batch; ++b, input += cols, output += rows) {
    ends.output = output;
    ends.input = input;
    if (missing > 0) {
      memset(copy + (cols + missing - SPK_LANES), 0, SPK_LANES);
      spk_copy_mve(copy, input, cols);
      ends.input = copy;
    }
    all_rows(eights, rows, &ends, q->round_up);
    if (!q->round_up) spk_requantize_rows_once_s8__mve(all, 0, rows, q, output);
  }
}
