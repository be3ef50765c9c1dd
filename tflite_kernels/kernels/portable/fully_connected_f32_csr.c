// Sparse FULLY_CONNECTED in portable C: one row of csr_f32 after the other.
#include "formats/csr_f32.h"
#include "spk/kernels_f32.h"

// Four partial sums hide the latency of the additions.
static float row_dot(const spk_csr_f32_entry *entry, uint32_t count, const float *input) {
  float sum[4] = {0.0f, 0.0f, 0.0f, 0.0f};
  uint32_t i = 0;
  for (; i + 4 <= count; i += 4) {
    for (uint32_t j = 0; j < 4; ++j) sum[j] += entry[i + j].value * input[entry[i + j].column];
  }
  for (; i < count; ++i) sum[0] += entry[i].value * input[entry[i].column];
  return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

void spk_fully_connected_f32_csr__c(const spk_args *args) {
  const spk_layer *layer = args->layer;
  const int32_t rows = layer->window.out_c, cols = layer->window.in_c;
  const float *bias = layer->bias;
  const uint32_t *start = spk_csr_f32_start(args->packed);
  const spk_csr_f32_entry *entries = spk_csr_f32_entries(args->packed, rows);
  for (int32_t b = args->begin; b < args->end; ++b) {
    const float *input = (const float *)args->input + (ptrdiff_t)b * cols;
    float *output = (float *)args->output + (ptrdiff_t)b * rows;
    for (int32_t o = 0; o < rows; ++o) {
      float sum = row_dot(entries + start[o], start[o + 1] - start[o], input);
      if (bias) sum += bias[o];
      sum = sum < layer->act_min ? layer->act_min : sum;
      output[o] = sum > layer->act_max ? layer->act_max : sum;
    }
  }
}
