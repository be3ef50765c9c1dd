// SVDF, int8 with a 16-bit state: feature weights dense or as a stream.
#include <string.h>

#include "spk/fixed_point_s16.h"
#include "spk/kernels_s8.h"

// Scratch: the sums of all filters, the widened input.
size_t spk_svdf_s8__c_scratch(const spk_svdf *p) {
  return (size_t)(p->rank * p->units) * sizeof(int32_t) + (size_t)p->inputs * sizeof(int16_t);
}

// The newest feature of every filter enters its memory.
static void remember(const spk_svdf *p, const int8_t *input, int16_t *state, void *scratch) {
  const int32_t filters = p->rank * p->units, memory = p->memory;
  int32_t *const sums = scratch;
  int16_t *const x = (int16_t *)(sums + filters);
  for (int32_t i = 0; i < p->inputs; ++i) x[i] = (int16_t)(input[i] + p->input_offset);
  memset(sums, 0, (size_t)filters * sizeof *sums);
  p->add_rows(p->feature_weights, filters, p->inputs, x, sums);
  memmove(state, state + 1, ((size_t)(filters * memory) - 1) * sizeof *state);
  for (int32_t f = 0; f < filters; ++f) {
    const int32_t scaled = spk_multiply(sums[f], p->feature_multiplier, p->feature_shift);
    state[(f + 1) * memory - 1] = (int16_t)spk_saturate_s16(scaled);
  }
}

void spk_svdf_s8__c(const spk_svdf *p, const int8_t *input, int16_t *state, int8_t *output,
                    void *scratch) {
  const int32_t terms = p->rank * p->memory;  // of a unit
  for (int32_t b = 0; b < p->batch; ++b, input += p->inputs) {
    remember(p, input, state, scratch);
    const int16_t *times = p->time_weights;
    for (int32_t u = 0; u < p->units; ++u) {
      uint32_t acc = p->bias != NULL ? (uint32_t)p->bias[u] : 0;  // wraps around, as TFLite's
      for (int32_t i = 0; i < terms; ++i) acc += (uint32_t)(*state++ * *times++);
      const int32_t scaled = spk_multiply((int32_t)acc, p->output_multiplier, p->output_shift);
      *output++ = (int8_t)spk_clamp(scaled + p->output_zero_point, INT8_MIN, INT8_MAX);
    }
  }
}
