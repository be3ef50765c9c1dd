// WinnerTakeAll, float32. The bit patterns of |x| are integers in the same order: the threshold
// is found digit by digit, 11 bits, 10 and 10, by counting how often each digit occurs among
// the candidates that agree in the digits above.
#include <string.h>

#include "spk/winners.h"

enum { kDigits = 3, kInfinity = 0x7f800000 };
static const int kShift[kDigits] = {20, 10, 0}, kBits[kDigits] = {11, 10, 10};

static uint32_t bits_of(const float *x) {
  uint32_t bits;
  memcpy(&bits, x, sizeof bits);
  return bits & 0x7fffffff;
}

static void count_digit(const spk_winners *p, const float *group, int digit, uint32_t above,
                        int32_t *counts) {
  const int shift = kShift[digit], bits = kBits[digit];
  const uint32_t mask = (1u << bits) - 1;
  const int32_t all = p->places != NULL ? p->candidates : p->outer * p->run;
  const ptrdiff_t period = (ptrdiff_t)p->groups * p->run;
  int32_t in_run = 0;
  memset(counts, 0, sizeof(int32_t) << bits);
  for (int32_t i = 0; i < all; ++i) {
    const uint32_t x = bits_of(p->places != NULL ? group + p->places[i] : group + in_run);
    if (digit == 0 || x >> (shift + bits) == above) ++counts[x >> shift & mask];
    if (++in_run == p->run && p->places == NULL) {
      in_run = 0;
      group += period;
    }
  }
}

// The bit pattern of the (count + 1)-th largest, at most that of infinity.
static uint32_t threshold(const spk_winners *p, const float *group, int32_t *counts) {
  int32_t left = p->count;
  uint32_t found = 0;
  for (int digit = 0; digit < kDigits; ++digit) {
    count_digit(p, group, digit, found, counts);
    int32_t value = 1 << kBits[digit];
    while (left >= 0) left -= counts[--value];
    left += counts[value];
    found = found << kBits[digit] | (uint32_t)value;
  }
  return found < kInfinity ? found : kInfinity;
}

void spk_winner_take_all_f32__c(const spk_winners *p, const float *input, float *output,
                                void *scratch) {
  const ptrdiff_t period = (ptrdiff_t)p->groups * p->run;
  for (int32_t g = 0; g < p->groups; ++g) {
    ptrdiff_t at = (ptrdiff_t)g * p->run;
    const uint32_t theta = threshold(p, input + at, scratch);
    for (int32_t o = 0; o < p->outer; ++o, at += period) {
      for (int32_t i = 0; i < p->run; ++i) {
        output[at + i] = bits_of(input + at + i) > theta ? input[at + i] : 0.0f;
      }
    }
  }
}
