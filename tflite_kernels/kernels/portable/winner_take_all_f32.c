// WinnerTakeAll, float32. The bit patterns of |x| are integers in the same order, and the
// threshold is found by halving: at most 31 times it is counted how many candidates are
// larger, in a loop that compilers turn into vector instructions.
#include <string.h>

#include "spk/winners.h"

enum { kInfinity = 0x7f800000 };

static int32_t bits_of(const float *x) {
  int32_t bits;
  memcpy(&bits, x, sizeof bits);
  return bits & 0x7fffffff;
}

static int32_t candidates_of(const spk_winners *p) {
  return p->places != NULL ? p->candidates : p->outer * p->run;
}

size_t spk_winner_take_all_f32__c_scratch(const spk_winners *p) {
  return (size_t)candidates_of(p) * sizeof(int32_t);
}

static void collect(const spk_winners *p, const float *group, int32_t *levels) {
  if (p->places != NULL) {
    for (int32_t i = 0; i < p->candidates; ++i) levels[i] = bits_of(group + p->places[i]);
    return;
  }
  for (int32_t o = 0; o < p->outer; ++o, group += (ptrdiff_t)p->groups * p->run) {
    for (int32_t i = 0; i < p->run; ++i) *levels++ = bits_of(group + i);
  }
}

static int32_t count_above(const int32_t *levels, int32_t size, int32_t level) {
  int32_t count = 0;
  for (int32_t i = 0; i < size; ++i) count += levels[i] > level;
  return count;
}

// The smallest level that no more than `count` exceed: the (count + 1)-th largest, or infinity.
static int32_t threshold(const int32_t *levels, int32_t size, int32_t count) {
  int32_t low = 0, high = kInfinity;
  while (low < high) {
    const int32_t middle = low + (high - low) / 2;
    if (count_above(levels, size, middle) > count) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

void spk_winner_take_all_f32__c(const spk_winners *p, const float *input, float *output,
                                void *scratch) {
  for (int32_t g = 0; g < p->groups; ++g) {
    ptrdiff_t at = (ptrdiff_t)g * p->run;
    collect(p, input + at, scratch);
    const int32_t theta = threshold(scratch, candidates_of(p), p->count);
    for (int32_t o = 0; o < p->outer; ++o, at += (ptrdiff_t)p->groups * p->run) {
      for (int32_t i = 0; i < p->run; ++i) {
        output[at + i] = bits_of(input + at + i) > theta ? input[at + i] : 0.0f;
      }
    }
  }
}
