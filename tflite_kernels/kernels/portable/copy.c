// Copies a grid of runs of bytes, from any steps to any steps.
#include <string.h>

#include "spk/kernels_s8.h"

enum { INNER = SPK_COPY_AXES - 1 };

// The innermost axis. Lengths that are known let the compiler copy without a call.
static void copy_line(const spk_copy *c, const uint8_t *from, uint8_t *to) {
  const ptrdiff_t run = c->run, from_step = c->from[INNER], to_step = c->to[INNER];
  for (int32_t left = c->count[INNER];;) {
    if (run == 1) {
      *to = *from;
    } else if (run == 4) {
      memcpy(to, from, 4);
    } else {
      memcpy(to, from, (size_t)run);
    }
    if (--left == 0) return;
    from += from_step;
    to += to_step;
  }
}

void spk_copy__c(const spk_copy *c, const void *input, void *output) {
  const uint8_t *from = (const uint8_t *)input + c->from_first;
  uint8_t *to = (uint8_t *)output + c->to_first;
  int32_t at[SPK_COPY_AXES] = {0};
  for (;;) {
    copy_line(c, from, to);
    int axis = INNER - 1;
    for (; axis >= 0 && ++at[axis] == c->count[axis]; --axis) {
      at[axis] = 0;
      from -= (ptrdiff_t)(c->count[axis] - 1) * c->from[axis];
      to -= (ptrdiff_t)(c->count[axis] - 1) * c->to[axis];
    }
    if (axis < 0) return;
    from += c->from[axis];
    to += c->to[axis];
  }
}
