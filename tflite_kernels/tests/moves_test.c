// spk_copy__c against five plain loops, over random grids: repeated, reversed and with gaps.
#include <string.h>

#include "spk/kernels_s8.h"
#include "test.h"

enum { AXES = SPK_COPY_AXES };

// Random steps over `axes` whose runs do not overlap, unless `repeats`; returns the bytes
// needed.
static int32_t random_steps(const spk_copy *c, int repeats, int32_t steps[AXES],
                            int32_t *first) {
  int32_t span = c->run;
  *first = 0;
  for (int axis = AXES - 1; axis >= 0; --axis) {
    if (repeats && spk_random_int(0, 3) == 0) {
      steps[axis] = 0;
      continue;
    }
    const int32_t step = span + spk_random_int(0, 3), reach = (c->count[axis] - 1) * step;
    const int reversed = spk_random_int(0, 3) == 0;
    steps[axis] = reversed ? -step : step;
    if (reversed) *first += reach;
    span += reach;
  }
  return span;
}

static void copy_plainly(const spk_copy *c, const uint8_t *from, uint8_t *to) {
  const int32_t runs = c->count[0] * c->count[1] * c->count[2] * c->count[3] * c->count[4];
  for (int32_t number = 0; number < runs; ++number) {
    int32_t rest = number, source = c->from_first, target = c->to_first;
    for (int axis = AXES - 1; axis >= 0; --axis) {
      const int32_t at = rest % c->count[axis];
      rest /= c->count[axis];
      source += at * c->from[axis];
      target += at * c->to[axis];
    }
    for (int32_t byte = 0; byte < c->run; ++byte) to[target + byte] = from[source + byte];
  }
}

static void random_copy(int number) {
  static const int32_t runs[] = {1, 4, 3, 8};
  spk_copy c;
  memset(&c, 0, sizeof c);
  c.run = runs[spk_random_int(0, 3)];
  for (int axis = 0; axis < AXES; ++axis) c.count[axis] = spk_random_int(1, 4);
  const int32_t bytes = random_steps(&c, 1, c.from, &c.from_first);
  const int32_t output_bytes = random_steps(&c, 0, c.to, &c.to_first);
  uint8_t *from = spk_test_buffer((size_t)bytes);
  uint8_t *expected = spk_test_buffer((size_t)output_bytes);
  uint8_t *got = spk_test_buffer((size_t)output_bytes);
  for (int32_t i = 0; i < bytes; ++i) from[i] = (uint8_t)spk_random_int(0, 255);
  memset(expected, 7, (size_t)output_bytes);
  memset(got, 7, (size_t)output_bytes);
  copy_plainly(&c, from, expected);
  spk_copy__c(&c, from, got);
  EXPECT(memcmp(expected, got, (size_t)output_bytes) == 0, "case %d", number);
  free(from);
  free(expected);
  free(got);
}

int main(void) {
  for (int number = 0; number < 300; ++number) random_copy(number);
  return spk_test_result();
}
