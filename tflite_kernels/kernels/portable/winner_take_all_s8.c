// WinnerTakeAll, int8: the threshold by counting how often each of the 256 levels occurs.
#include <string.h>

#include "spk/kernels_s8.h"

static int32_t level_of(const spk_winners *p, int8_t x) {
  return p->levels != NULL ? p->levels[x + 128] : x + 128;
}

static void count_levels(const spk_winners *p, const int8_t *group, int32_t *restrict counts) {
  memset(counts, 0, SPK_WINNERS_S8_SCRATCH);
  if (p->places != NULL) {
    for (int32_t i = 0; i < p->candidates; ++i) ++counts[level_of(p, group[p->places[i]])];
    return;
  }
  for (int32_t o = 0; o < p->outer; ++o, group += p->groups * p->run) {
    for (int32_t i = 0; i < p->run; ++i) ++counts[level_of(p, group[i])];
  }
}

// The (count + 1)-th largest level.
static int32_t threshold(const int32_t *counts, int32_t count) {
  int32_t level = 256;
  while (count >= 0) count -= counts[--level];
  return level;
}

void spk_winner_take_all_s8__c(const spk_winners *p, const int8_t *input, int8_t *output,
                               void *scratch) {
  const int8_t zero = (int8_t)p->zero_point;
  for (int32_t g = 0; g < p->groups; ++g) {
    ptrdiff_t at = (ptrdiff_t)g * p->run;
    count_levels(p, input + at, scratch);
    const int32_t theta = threshold(scratch, p->count);
    for (int32_t o = 0; o < p->outer; ++o, at += p->groups * p->run) {
      for (int32_t i = 0; i < p->run; ++i) {
        const int8_t x = input[at + i];
        output[at + i] = level_of(p, x) > theta ? x : zero;
      }
    }
  }
}
