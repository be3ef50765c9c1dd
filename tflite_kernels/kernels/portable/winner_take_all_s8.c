// WinnerTakeAll, int8: the threshold by counting how often each of the 256 levels occurs.
//
// Where levels rise with the values, as behind a RELU, values are counted and compared instead,
// four at a time.
#include <string.h>

#include "spk/kernels_s8.h"

enum { kFour = 4 };

static uint32_t four_from(const int8_t *from) {
  uint32_t word;
  memcpy(&word, from, kFour);
  return word;
}

static uint32_t four_times(int32_t byte) { return (uint32_t)(byte & 0xff) * 0x01010101u; }

// Whole words of zeros, which are frequent, are counted at once.
static void count_values(const int8_t *from, int32_t size, int32_t zero,
                         int32_t *restrict counts) {
  const uint32_t zeros = four_times(zero), flip = four_times(-128);
  int32_t i = 0;
  for (; i + kFour <= size; i += kFour) {
    uint32_t word = four_from(from + i);
    if (word == zeros) {
      counts[zero + 128] += kFour;
      continue;
    }
    word ^= flip;
    ++counts[word & 0xff];
    ++counts[word >> 8 & 0xff];
    ++counts[word >> 16 & 0xff];
    ++counts[word >> 24];
  }
  for (; i < size; ++i) ++counts[from[i] + 128];
}

// x > theta ? x : zero, for -128 <= theta < 127.
static void pass_values(const int8_t *from, int32_t size, int32_t theta, int32_t zero,
                        int8_t *to) {
  int32_t i = 0;
#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__) && !defined(__aarch64__)
  const uint32_t zeros = four_times(zero), least = four_times(theta + 1);
  for (; i + kFour <= size; i += kFour) {
    uint32_t word = four_from(from + i), unused;
    __asm__("ssub8 %1, %0, %2\n\tsel %0, %0, %3"
            : "+r"(word), "=&r"(unused)
            : "r"(least), "r"(zeros)
            : "cc");
    memcpy(to + i, &word, kFour);
  }
#endif
  for (; i < size; ++i) to[i] = from[i] > theta ? from[i] : (int8_t)zero;
}

static int is_by_value(const spk_winners *p) { return p->levels == NULL || p->is_rising; }

static void count_all(const spk_winners *p, const int8_t *group, int32_t *restrict counts) {
  const int by_value = is_by_value(p);
  memset(counts, 0, SPK_WINNERS_S8_SCRATCH);
  if (p->places != NULL) {
    for (int32_t i = 0; i < p->candidates; ++i) {
      const int32_t value = group[p->places[i]] + 128;
      ++counts[by_value ? value : p->levels[value]];
    }
    return;
  }
  for (int32_t o = 0; o < p->outer; ++o, group += p->groups * p->run) {
    if (by_value) {
      count_values(group, p->run, p->zero_point, counts);
      continue;
    }
    for (int32_t i = 0; i < p->run; ++i) ++counts[p->levels[group[i] + 128]];
  }
}

// The (count + 1)-th largest level, or the largest value of this level.
static int32_t threshold(const spk_winners *p, const int32_t *counts) {
  int32_t level = 256, count = p->count;
  while (count >= 0) count -= counts[--level];
  if (p->levels != NULL && p->is_rising)
    while (level < 255 && p->levels[level + 1] == p->levels[level]) ++level;
  return level;
}

static void pass_levels(const spk_winners *p, const int8_t *from, int32_t theta, int8_t *to) {
  for (int32_t i = 0; i < p->run; ++i)
    to[i] = p->levels[from[i] + 128] > theta ? from[i] : (int8_t)p->zero_point;
}

void spk_winner_take_all_s8__c(const spk_winners *p, const int8_t *input, int8_t *output,
                               void *scratch) {
  for (int32_t g = 0; g < p->groups; ++g) {
    ptrdiff_t at = (ptrdiff_t)g * p->run;
    count_all(p, input + at, scratch);
    const int32_t theta = threshold(p, scratch);
    for (int32_t o = 0; o < p->outer; ++o, at += p->groups * p->run) {
      if (!is_by_value(p))
        pass_levels(p, input + at, theta, output + at);
      else if (theta < 255)
        pass_values(input + at, p->run, theta - 128, p->zero_point, output + at);
      else
        memset(output + at, p->zero_point, (size_t)p->run);
    }
  }
}
