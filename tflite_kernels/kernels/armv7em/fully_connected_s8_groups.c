// FULLY_CONNECTED, int8, one weight in each group of 4 or 8 inputs (1:4 and 1:8), for
// Cortex-M4, M7 and M33: 4 instructions a weight.
//
// Inputs stay int8, their offset is in the bias. One AND takes four places out of a word;
// UXTAB adds them to the position of the unit, and the groups are offsets of the loads.
#include "spk/groups_s8.h"
#include "spk/kernels_s8.h"
#include "spk/requantize_rows_s8.h"

#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)

// Two groups at columns c0 and c1, places in bytes of `t` behind the rotations, weights in `w`.
#define TWO_GROUPS(rotation0, c0, rotation1, c1) \
  "uxtab %[u], %[x], %[t]" rotation0             \
  "\n\t"                                         \
  "uxtab %[v], %[x], %[t]" rotation1             \
  "\n\t"                                         \
  "ldrsb %[u], [%[u], #" c0                      \
  "]\n\t"                                        \
  "ldrsb %[v], [%[v], #" c1                      \
  "]\n\t"                                        \
  "smlabb %[acc], %[u], %[w], %[acc]\n\t"        \
  "smlabt %[acc], %[v], %[w], %[acc]\n\t"
// Four groups whose places are at bit `shift` of the bytes of `i`.
#define FOUR_GROUPS(shift, weights, c0, c1, c2, c3)    \
  "and %[t], %[mask], %[i], lsr #" shift               \
  "\n\t"                                               \
  "sxtb16 %[w], " weights "\n\t" TWO_GROUPS(           \
      "", c0, ", ror #16", c2) "sxtb16 %[w], " weights \
                               ", ror #8\n\t" TWO_GROUPS(", ror #8", c1, ", ror #24", c3)

// Adds `units` units, at least one, of 16 or 8 groups to acc; returns where the next one
// begins.
#define ADD_UNITS(name, places, groups)                                                      \
  SPK_INLINE const uint8_t *name(const int8_t *x, const uint8_t *s, int32_t units,           \
                                 uint32_t *sum) {                                            \
    register uint32_t i __asm__("r4"), a __asm__("r5"), b __asm__("r6");                     \
    uint32_t t, u, v, w, acc = *sum;                                                         \
    __asm__ volatile(                                                                        \
        "1: ldm %[s]!, {%[i], %[a], %[b]}\n\t" groups                                        \
        "add %[x], %[x], #64\n\t"                                                            \
        "subs %[n], %[n], #1\n\t"                                                            \
        "bne 1b"                                                                             \
        : [x] "+r"(x), [s] "+r"(s), [n] "+r"(units), [acc] "+r"(acc), [i] "=&r"(i),          \
          [a] "=&r"(a), [b] "=&r"(b), [t] "=&r"(t), [u] "=&r"(u), [v] "=&r"(v), [w] "=&r"(w) \
        : [mask] "r"(places)                                                                 \
        : "cc", "memory");                                                                   \
    *sum = acc;                                                                              \
    return s;                                                                                \
  }
ADD_UNITS(add_units_of_4, 0x03030303u,
          FOUR_GROUPS("0", "%[a]", "0", "4", "8", "12")
              FOUR_GROUPS("2", "%[b]", "16", "20", "24",
                          "28") "ldm %[s]!, {%[a], %[b]}\n\t" FOUR_GROUPS("4", "%[a]", "32",
                                                                          "36", "40", "44")
                  FOUR_GROUPS("6", "%[b]", "48", "52", "56", "60"))
ADD_UNITS(add_units_of_8, 0x0f0f0f0fu,
          FOUR_GROUPS("0", "%[a]", "0", "8", "16", "24")
              FOUR_GROUPS("4", "%[b]", "32", "40", "48", "56"))

static const uint8_t *add_units(const int8_t *x, const uint8_t *s, int32_t units, int32_t m,
                                uint32_t *sum) {
  if (units == 0) return s;
  return m == 4 ? add_units_of_4(x, s, units, sum) : add_units_of_8(x, s, units, sum);
}

#else

static const uint8_t *add_units(const int8_t *x, const uint8_t *s, int32_t units, int32_t m,
                                uint32_t *sum) {
  const int32_t of_unit = SPK_UNIT_COLUMNS / m;
  for (; units > 0; --units, x += SPK_UNIT_COLUMNS, s += 4 + of_unit) {
    *sum = spk_add_groups(x, s, of_unit, m, *sum);
  }
  return s;
}

#endif

void spk_fully_connected_s8_groups__armv7em(int32_t batch, int32_t rows, int32_t cols,
                                            int32_t m, const spk_requant *q,
                                            const int8_t *input, const uint8_t *groups,
                                            const int32_t *bias, int8_t *output) {
  const int32_t of_row = (cols + m - 1) / m, units = of_row / (SPK_UNIT_COLUMNS / m);
  const int32_t rest = of_row % (SPK_UNIT_COLUMNS / m);
  for (int32_t b = 0; b < batch; ++b, input += cols, output += rows) {
    const uint8_t *s = groups;
    for (int32_t first = 0; first < rows; first += SPK_ROWS_AT_ONCE) {
      const int32_t left = rows - first;
      const int32_t count = left < SPK_ROWS_AT_ONCE ? left : SPK_ROWS_AT_ONCE;
      int32_t sums[SPK_ROWS_AT_ONCE];
      for (int32_t i = 0; i < count; ++i) {
        uint32_t sum = (uint32_t)bias[first + i];
        s = add_units(input, s, units, m, &sum);
        if (rest > 0) {
          sum = spk_add_groups(input + units * SPK_UNIT_COLUMNS, s, rest, m, sum);
          s += 4 + (rest + 3) / 4 * 4;
        }
        sums[i] = (int32_t)sum;
      }
      spk_requantize_rows_once_s8(sums, first, count, q, output);
    }
  }
}
