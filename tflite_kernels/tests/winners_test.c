// WinnerTakeAll for floats against its definition, and options of files that nobody trusts.
#include "delegate/winners.h"

#include <math.h>
#include <string.h>

#include "spk/winners.h"
#include "tests/test.h"

static double level_of(float x) { return isnan(x) ? 2.0 * INFINITY : fabs((double)x); }

// More than the (count + 1)-th largest: at most `count` candidates are as large.
static int is_winner(const spk_winners *p, const float *input, int32_t at) {
  const int32_t period = p->groups * p->run, group = at % period / p->run;
  const int32_t all = p->places != NULL ? p->candidates : p->outer * p->run;
  if (isnan(input[at])) return 1;
  int32_t as_large = 0;
  for (int32_t i = 0; i < all; ++i) {
    const int32_t place = p->places != NULL ? p->places[i] : i / p->run * period + i % p->run;
    const float other = input[place + group * p->run];
    as_large += isnan(other) || level_of(other) >= level_of(input[at]);
  }
  return as_large <= p->count;
}

static float random_value(int few) {
  if (few) return (float)spk_random_int(-2, 2);  // ties
  const int kind = spk_random_int(0, 39);
  if (kind == 0) return NAN;
  if (kind == 1) return INFINITY;
  if (kind == 2) return -0.0f;
  if (kind == 3) return 1e-42f;
  return ldexpf(spk_random_float(), spk_random_int(-40, 40));
}

static void floats(int number) {
  spk_winners p = {.outer = spk_random_int(1, 9),
                   .groups = spk_random_int(1, 4),
                   .run = spk_random_int(1, 9)};
  const int32_t of_group = p.outer * p.run, period = p.groups * p.run;
  const int32_t size = p.outer * period, few = spk_random_int(0, 1);
  int32_t *places = spk_test_buffer((size_t)of_group * sizeof(int32_t));
  for (int32_t i = 0; i < of_group; i += spk_random_int(1, 3)) {
    places[p.candidates++] = i / p.run * period + i % p.run;
  }
  if (spk_random_int(0, 1)) p.places = places;
  p.count = spk_random_int(0, (p.places != NULL ? p.candidates : of_group) - 1);
  float *input = spk_test_buffer((size_t)size * 4), *got = spk_test_buffer((size_t)size * 4);
  for (int32_t i = 0; i < size; ++i) input[i] = random_value(few);
  void *scratch = spk_test_buffer(spk_winner_take_all_f32__c_scratch(&p));
  spk_winner_take_all_f32__c(&p, input, got, scratch);
  for (int32_t i = 0; i < size; ++i) {
    const float expected = is_winner(&p, input, i) ? input[i] : 0.0f;
    EXPECT(memcmp(&got[i], &expected, 4) == 0, "case %d, value %d of %d", number, i, size);
  }
  free(scratch);
  free(got);
  free(input);
  free(places);
}

// Reads exactly so many bytes; the address sanitizer watches.
static int reads(const int32_t *words, size_t bytes) {
  uint8_t *exact = spk_test_buffer(bytes);
  memcpy(exact, words, bytes);
  spk_winners p;
  const int good = spk_read_winners(exact, bytes, &p);
  free(exact);
  return good;
}

static void rising_levels(void) {
  int32_t words[7 + 64] = {1, 2, 3, 4, 5, 0, 256};
  uint8_t *levels = (uint8_t *)(words + 7);
  for (int i = 0; i < 256; ++i) levels[i] = (uint8_t)i;
  spk_winners p;
  EXPECT(spk_read_winners(words, sizeof words, &p) && p.is_rising, "levels rise");
  levels[255] = 253;
  EXPECT(spk_read_winners(words, sizeof words, &p) && !p.is_rising, "the last one falls");
}

static void options(void) {
  const int32_t all[7] = {1, 2, 3, 4, 5, 0, 0};
  const int32_t some[9] = {1, 2, 3, 4, 1, 2, 0, 0, 15};
  EXPECT(reads(all, sizeof all), "all are candidates");
  EXPECT(reads(some, sizeof some), "two candidates");
  for (size_t bytes = 0; bytes < sizeof some; ++bytes)
    EXPECT(!reads(some, bytes), "%d bytes", (int)bytes);
  int32_t levels[7 + 64] = {1, 2, 3, 4, 5, 0, 256};
  EXPECT(reads(levels, sizeof levels), "levels");
  EXPECT(!reads(levels, sizeof levels - 1), "short levels");
  static const int32_t wrong[][2] = {{0, 2},         {1, 0},         {1, -1},  {1, INT32_MAX},
                                     {2, 0},         {2, INT32_MAX}, {3, 0},   {3, INT32_MAX},
                                     {4, -1},        {4, 8},         {5, -1},  {5, 1},
                                     {5, INT32_MAX}, {6, 255},       {6, -256}};
  for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; ++i) {
    int32_t changed[7];
    memcpy(changed, all, sizeof all);
    changed[wrong[i][0]] = wrong[i][1];
    EXPECT(!reads(changed, sizeof changed), "word %d is %d", wrong[i][0], wrong[i][1]);
  }
  static const int32_t outside[] = {-1, 4, 11, 24, INT32_MAX};
  for (size_t i = 0; i < sizeof outside / sizeof outside[0]; ++i) {
    int32_t changed[9];
    memcpy(changed, some, sizeof some);
    changed[8] = outside[i];
    EXPECT(!reads(changed, sizeof changed), "place %d", outside[i]);
  }
}

int main(void) {
  options();
  rising_levels();
  for (int number = 0; number < 1500; ++number) floats(number);
  return spk_test_result();
}
