// Sparse FULLY_CONNECTED in portable C: sixteen rows share their columns, so that one input
// meets sixteen neighbouring weights.
#include <string.h>

#include "kernels/portable/row_blocks_f32.h"
#include "spk/kernels_f32.h"

enum { kHeight = 16, kFewPercent = 40 };

static inline void add_block(const float *restrict weights, float x, float *restrict sums) {
  for (int r = 0; r < kHeight; ++r) sums[r] += x * weights[r];
}

static void finish(const spk_layer *layer, int32_t group, const float *sums, float *output) {
  const float *bias = layer->bias;
  for (int32_t r = 0, o = group * kHeight; r < kHeight && o < layer->window.out_c; ++r, ++o) {
    const float sum = bias ? sums[r] + bias[o] : sums[r];
    const float low = sum < layer->act_min ? layer->act_min : sum;
    output[o] = low > layer->act_max ? layer->act_max : low;
  }
}

// Two blocks are in flight, so that their additions do not wait for each other.
static void sum_four_rows(const uint32_t *column, const float *weights, uint32_t count,
                          const float *input, float *sums) {
  float even[4] = {0}, odd[4] = {0};
  uint32_t b = 0;
  for (; b + 2 <= count; b += 2, weights += 2 * kHeight) {
    for (int r = 0; r < 4; ++r) even[r] += input[column[b]] * weights[r];
    for (int r = 0; r < 4; ++r) odd[r] += input[column[b + 1]] * weights[kHeight + r];
  }
  for (int r = 0; r < 4; ++r)
    sums[r] = even[r] + odd[r] + (b < count ? input[column[b]] * weights[r] : 0.0f);
}

static void by_groups(const spk_args *args, const spk_blocks_f32_view *blocks,
                      const float *input, float *output) {
  for (int32_t group = args->begin; group < args->end; ++group) {
    const uint32_t first = blocks->first[group], count = blocks->first[group + 1] - first;
    float sums[kHeight];
    for (int quarter = 0; quarter < kHeight; quarter += 4)
      sum_four_rows(blocks->column + first, blocks->weights + (size_t)first * kHeight + quarter,
                    count, input, sums + quarter);
    finish(args->layer, group, sums, output);
  }
}

// The sums of all rows are in scratch; columns whose input is zero are left out.
static void by_columns(const spk_args *args, const spk_row_blocks *view, const float *input,
                       float *output) {
  const uint32_t begin = (uint32_t)args->begin, units = (uint32_t)(args->end - args->begin);
  float *sums = args->scratch;
  memset(sums, 0, (size_t)units * kHeight * sizeof(float));
  for (int32_t c = 0; c < args->layer->window.in_c; ++c) {
    if (input[c] == 0.0f) continue;
    for (uint32_t i = view->start[c]; i < view->start[c + 1]; ++i) {
      const uint32_t group = view->group[i] - begin;
      if (group >= units) continue;
      add_block(view->weights + (size_t)i * kHeight, input[c], sums + (size_t)group * kHeight);
    }
  }
  for (uint32_t group = 0; group < units; ++group)
    finish(args->layer, (int32_t)(begin + group), sums + (size_t)group * kHeight, output);
}

void spk_fully_connected_f32_blocks16x1__c(const spk_args *args) {
  const spk_window2d *w = &args->layer->window;
  const spk_row_blocks view = spk_row_blocks_of(args->packed);
  for (int32_t n = 0; n < w->batch; ++n) {
    const float *input = (const float *)args->input + (size_t)n * w->in_c;
    float *output = (float *)args->output + (size_t)n * w->out_c;
    int32_t live = 0;
    for (int32_t c = 0; c < w->in_c; ++c) live += input[c] != 0.0f;
    if (spk_are_few_live(live, w->in_c, kFewPercent))
      by_columns(args, &view, input, output);
    else
      by_groups(args, &view.blocks, input, output);
  }
}
