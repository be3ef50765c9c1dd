// FULLY_CONNECTED, int8, dense, for Cortex-M4, M7 and M33: four output units share every load
// of widened inputs, SMLAD multiplies two pairs.
#include "spk/kernels_s8.h"
#include "spk/requantize_rows_s8.h"
#include "spk/widen_s8.h"

size_t spk_fully_connected_s8_dense__armv7em_scratch(int32_t cols) {
  return SPK_WIDENED((size_t)cols) * sizeof(int16_t);
}

#ifdef SPK_DSP

// Four weights of a row, in `w`, times the inputs in `a` and `b`.
#define FOUR_WEIGHTS(acc)           \
  "sxtb16 %[v], %[w]\n\t"           \
  "sxtb16 %[w], %[w], ror #8\n\t"   \
  "smlad " acc ", %[a], %[v], " acc \
  "\n\t"                            \
  "smlad " acc ", %[b], %[w], " acc "\n\t"
#define FOUR_COLUMNS \
  "ldrd %[a], %[b], [%[x]], #8\n\t"                         \
  "ldr %[w], [%[p], %[cols]]\n\t" FOUR_WEIGHTS("%[s1]")     \
  "ldr %[w], [%[p], %[cols], lsl #1]\n\t" FOUR_WEIGHTS("%[s2]") \
  "ldr %[w], [%[p], %[cols3]]\n\t" FOUR_WEIGHTS("%[s3]")    \
  "ldr %[w], [%[p]], #4\n\t" FOUR_WEIGHTS("%[s0]")

// sums[0 .. 4) += four rows of `cols` weights times 4 * fours inputs.
SPK_NOINLINE void four_rows(const int16_t *x, const int8_t *weights, int32_t cols,
                            int32_t fours, int32_t sums[4]) {
  int32_t s0 = sums[0], s1 = sums[1], s2 = sums[2], s3 = sums[3];
  uint32_t a, b, v, w;
  if (fours % 2 != 0) {
    __asm__ volatile(
        FOUR_COLUMNS
        : [x] "+r"(x), [p] "+r"(weights), [s0] "+r"(s0), [s1] "+r"(s1), [s2] "+r"(s2),
          [s3] "+r"(s3), [a] "=&r"(a), [b] "=&r"(b), [v] "=&r"(v), [w] "=&r"(w)
        : [cols] "r"(cols), [cols3] "r"(3 * cols)
        : "memory");
  }
  for (fours /= 2; fours > 0; --fours) {
    __asm__ volatile(
        FOUR_COLUMNS FOUR_COLUMNS
        : [x] "+r"(x), [p] "+r"(weights), [s0] "+r"(s0), [s1] "+r"(s1), [s2] "+r"(s2),
          [s3] "+r"(s3), [a] "=&r"(a), [b] "=&r"(b), [v] "=&r"(v), [w] "=&r"(w)
        : [cols] "r"(cols), [cols3] "r"(3 * cols)
        : "memory");
  }
  sums[0] = s0, sums[1] = s1, sums[2] = s2, sums[3] = s3;
}

#else

static void four_rows(const int16_t *x, const int8_t *weights, int32_t cols, int32_t fours,
                      int32_t sums[4]) {
  for (int32_t r = 0; r < 4; ++r, weights += cols) {
    for (int32_t i = 0; i < 4 * fours; i += 4) sums[r] += spk_dot_widened(x + i, weights + i);
  }
}

#endif

// Columns from `first` on of `count` rows.
static void some_columns(const int16_t *x, const int8_t *weights, int32_t count, int32_t cols,
                         int32_t first, int32_t *sums) {
  for (int32_t r = 0; r < count; ++r, weights += cols) {
    int32_t c = first;
    for (; c + 4 <= cols; c += 4) sums[r] += spk_dot_widened(x + c, weights + c);
    int8_t last[4] = {0};
    memcpy(last, weights + c, (size_t)(cols - c));
    if (c < cols) sums[r] += spk_dot_widened(x + c, last);
  }
}

// Adds to the sums of `count` rows, before which lie `before` others.
static void some_rows(const int16_t *x, const int8_t *weights, int32_t before, int32_t count,
                      int32_t cols, int32_t *sums) {
  const int32_t fours = cols / 4, rest = count % 4;
  int32_t done = count - rest;
  for (int32_t r = 0; r < done; r += 4) {
    four_rows(x, weights + r * (ptrdiff_t)cols, cols, fours, sums + r);
  }
  if (rest > 0 && before + count >= 4) {
    // The last four rows, some of them once more: cheaper than the rest one by one.
    int32_t last[4] = {0};
    four_rows(x, weights + (count - 4) * (ptrdiff_t)cols, cols, fours, last);
    for (; done < count; ++done) sums[done] += last[4 - (count - done)];
  }
  if (cols % 4 != 0) some_columns(x, weights, done, cols, 4 * fours, sums);
  some_columns(x, weights + done * (ptrdiff_t)cols, count - done, cols, 0, sums + done);
}

void spk_fully_connected_s8_dense__armv7em(int32_t batch, int32_t rows, int32_t cols,
                                           const spk_requant *q, const int8_t *input,
                                           const int8_t *weights, const int32_t *bias,
                                           int8_t *output, void *scratch) {
  int16_t *x = scratch;
  for (int32_t b = 0; b < batch; ++b, input += cols, output += rows) {
    spk_widen_s8(input, cols, q->input_offset, x);
    for (int32_t first = 0; first < rows; first += SPK_ROWS_AT_ONCE) {
      const int32_t left = rows - first;
      const int32_t count = left < SPK_ROWS_AT_ONCE ? left : SPK_ROWS_AT_ONCE;
      int32_t sums[SPK_ROWS_AT_ONCE];
      for (int32_t i = 0; i < count; ++i) sums[i] = bias != NULL ? bias[first + i] : 0;
      some_rows(x, weights + first * (ptrdiff_t)cols, first, count, cols, sums);
      spk_requantize_rows_once_s8(sums, first, count, q, output);
    }
  }
}
