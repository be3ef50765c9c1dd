// output[b][o] = clamp(bias[o] + sum_k input[b][k] * weights[o][k])
#include "spk/kernels_f32.h"

void spk_fully_connected_f32_dense__ref(const spk_args *args) {
  const spk_layer *layer = args->layer;
  const int32_t rows = layer->window.out_c, cols = layer->window.in_c;
  const float *weights = args->packed, *bias = layer->bias;
  for (int32_t b = args->begin; b < args->end; ++b) {
    const float *input = (const float *)args->input + (ptrdiff_t)b * cols;
    float *output = (float *)args->output + (ptrdiff_t)b * rows;
    for (int32_t o = 0; o < rows; ++o) {
      float sum = 0.0f;
      for (int32_t k = 0; k < cols; ++k) sum += input[k] * weights[(ptrdiff_t)o * cols + k];
      if (bias) sum += bias[o];
      sum = sum < layer->act_min ? layer->act_min : sum;
      output[o] = sum > layer->act_max ? layer->act_max : sum;
    }
  }
}
