// SVDF, int8 with a 16-bit state: the specification.
#include <string.h>

#include "spk/fixed_point_s16.h"
#include "spk/kernels_s8.h"

static int32_t feature(const spk_svdf *p, const int8_t *weights, const int8_t *input) {
  int32_t acc = 0;
  for (int32_t i = 0; i < p->inputs; ++i) acc += weights[i] * (input[i] + p->input_offset);
  return spk_saturate_s16(spk_multiply(acc, p->feature_multiplier, p->feature_shift));
}

void spk_svdf_s8_dense__ref(const spk_svdf *p, const int8_t *input, int16_t *state,
                            int8_t *output) {
  const size_t older = (size_t)(p->memory - 1);
  for (int32_t b = 0; b < p->batch; ++b, input += p->inputs) {
    const int8_t *weights = p->feature_weights;
    const int16_t *times = p->time_weights;
    for (int32_t u = 0; u < p->units; ++u) {
      uint32_t acc = p->bias != NULL ? (uint32_t)p->bias[u] : 0;  // wraps around, as TFLite's
      for (int32_t r = 0; r < p->rank; ++r, weights += p->inputs) {
        memmove(state, state + 1, older * sizeof *state);
        state[older] = (int16_t)feature(p, weights, input);
        for (int32_t m = 0; m < p->memory; ++m) acc += (uint32_t)(*state++ * *times++);
      }
      const int32_t scaled = spk_multiply((int32_t)acc, p->output_multiplier, p->output_shift);
      *output++ = (int8_t)spk_clamp(scaled + p->output_zero_point, INT8_MIN, INT8_MAX);
    }
  }
}
