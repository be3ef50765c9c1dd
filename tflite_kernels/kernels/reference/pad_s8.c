// PAD and PADV2, int8, up to four axes.
#include <string.h>

#include "spk/kernels_s8.h"

static int8_t *fill(int8_t *output, int8_t value, int32_t count) {
  memset(output, value, (size_t)count);
  return output + count;
}

void spk_pad_s8__ref(const spk_pad *p, const int8_t *input, int8_t *output) {
  int32_t whole[4], step = 1, steps[4];  // output sizes, and values in one step of each axis
  for (int axis = 3; axis >= 0; --axis) {
    whole[axis] = p->before[axis] + p->shape[axis] + p->after[axis];
    steps[axis] = step;
    step *= whole[axis];
  }
  output = fill(output, p->value, p->before[0] * steps[0]);
  for (int32_t i = 0; i < p->shape[0]; ++i) {
    output = fill(output, p->value, p->before[1] * steps[1]);
    for (int32_t j = 0; j < p->shape[1]; ++j) {
      output = fill(output, p->value, p->before[2] * steps[2]);
      for (int32_t k = 0; k < p->shape[2]; ++k) {
        output = fill(output, p->value, p->before[3]);
        memcpy(output, input, (size_t)p->shape[3]);
        input += p->shape[3];
        output = fill(output + p->shape[3], p->value, p->after[3]);
      }
      output = fill(output, p->value, p->after[2] * steps[2]);
    }
    output = fill(output, p->value, p->after[1] * steps[1]);
  }
  fill(output, p->value, p->after[0] * steps[0]);
}
