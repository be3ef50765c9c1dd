// The sums of one FULLY_CONNECTED input to int8: spk_requantize_once_s8 in a loop that keeps
// what it needs in registers. An activation that clamps no more than int8 does, as RELU with
// its zero point at -128, saturates in one instruction where the machine has one.
#include "spk/requantize_rows_s8.h"

SPK_INLINE void scaled(const int32_t *restrict sum, int32_t first, int32_t rows,
                       const spk_requant *q, int8_t *restrict output, int per_tensor,
                       int saturates) {
  const int32_t channel = per_tensor ? 0 : first;
  const int32_t *restrict multiplier = q->multiplier + channel, *shift = q->shift + channel;
  const uint32_t *restrict low = q->multiplier_low + channel;
  const int32_t offset = q->output_offset, act_min = q->act_min, act_max = q->act_max;
  output += first;
  for (; rows > 0; --rows) {
    const int32_t x = spk_scale_once_s8(*sum++, *multiplier, *low, *shift) + offset;
    *output++ = (int8_t)(saturates ? spk_saturate_s8(x) : spk_clamp(x, act_min, act_max));
    if (!per_tensor) ++multiplier, ++low, ++shift;
  }
}

#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)

// The sum in `a` times the multiplier in `m`. What is added to the upper word of the product
// is the offset and a half, before the shift.
#define SCALED_UP(a, m)    \
  "smmla " a ", " a ", " m \
  ", %[offset]\n\t"        \
  "asr " a ", " a          \
  ", %[right]\n\t"         \
  "ssat " a ", #8, " a     \
  "\n\t"                   \
  "strb " a ", [%[out]], #1\n\t"

// Four rows at a time, saturated; returns how many are done. Their multipliers lie `step`
// behind those of the rows before; 1 <= right <= MOST_RIGHT.
SPK_NOINLINE int32_t scaled_up_by_fours(const int32_t *sum, const int32_t *multiplier,
                                        int32_t step, int32_t rows, int32_t right,
                                        int32_t offset, int8_t *out) {
  register uint32_t a __asm__("r4"), b __asm__("r5"), c __asm__("r6"), d __asm__("r8");
  offset = offset * (1 << right) + (1 << right) / 2;
  for (int32_t left = rows - 4; left >= 0; left -= 4, multiplier += step) {
    uint32_t m, n;
    __asm__ volatile(
        "ldm %[sum]!, {%[a], %[b], %[c], %[d]}\n\t"
        "ldrd %[m], %[n], [%[multiplier]]\n\t" SCALED_UP("%[a]", "%[m]") SCALED_UP(
            "%[b]", "%[n]") "ldrd %[m], %[n], [%[multiplier], #8]\n\t" SCALED_UP("%[c]", "%[m]")
            SCALED_UP("%[d]", "%[n]")
        : [sum] "+r"(sum), [out] "+r"(out), [a] "=&r"(a), [b] "=&r"(b), [c] "=&r"(c),
          [d] "=&r"(d), [m] "=&r"(m), [n] "=&r"(n)
        : [multiplier] "r"(multiplier), [right] "r"(right), [offset] "r"(offset)
        : "memory");
  }
  return rows & ~3;
}

#else

static int32_t scaled_up_by_fours(const int32_t *sum, const int32_t *multiplier, int32_t step,
                                  int32_t rows, int32_t right, int32_t offset, int8_t *out) {
  (void)sum, (void)multiplier, (void)step, (void)rows, (void)right, (void)offset, (void)out;
  return 0;
}

#endif

// Up to here the offset before the shift stays below half of an int32, and products do too.
enum { MOST_RIGHT = 22 };

// With one shift for all rows.
static void scaled_up(const int32_t *sum, int32_t first, int32_t rows, const spk_requant *q,
                      int saturates, int8_t *output) {
  const int32_t shift = q->shift[0], offset = q->output_offset;
  int32_t r = 0;
  output += first;
  const int by_fours = saturates && shift < -1 && ~shift <= MOST_RIGHT;
  if (by_fours && q->per_tensor) {
    const int32_t m = q->multiplier[0], alike[4] = {m, m, m, m};
    r = scaled_up_by_fours(sum, alike, 0, rows, ~shift, offset, output);
  } else if (by_fours) {
    r = scaled_up_by_fours(sum, q->multiplier + first, 4, rows, ~shift, offset, output);
  }
  for (; r < rows; ++r) {
    const int32_t multiplier = q->multiplier[q->per_tensor ? 0 : first + r];
    const int32_t x = spk_scale_up_s8(sum[r], multiplier, shift) + offset;
    output[r] = (int8_t)spk_clamp(x, q->act_min, q->act_max);
  }
}

void spk_requantize_rows_once_s8(const int32_t *sum, int32_t first, int32_t rows,
                                 const spk_requant *q, int8_t *output) {
  const int saturates = q->act_min == -128 && q->act_max == 127;
  if (q->round_up) {
    scaled_up(sum, first, rows, q, saturates, output);
  } else if (q->multiplier_low == NULL) {
    for (int32_t r = 0; r < rows; ++r) {
      output[first + r] = spk_requantize_once_s8(sum[r], q, first + r);
    }
  } else if (q->per_tensor) {
    scaled(sum, first, rows, q, output, 1, saturates);
  } else if (saturates) {
    scaled(sum, first, rows, q, output, 0, 1);
  } else {
    scaled(sum, first, rows, q, output, 0, 0);
  }
}
