#include "delegate/claim_weights.h"

#include <stdlib.h>
#include <string.h>

#include "delegate/sparse_weights.h"

// (out * taps, own) -> (out * taps, groups * own) in place, from the last row on: none goes to
// a place before its own. `own` is in bytes.
static void spread(uint8_t *weights, size_t rows, size_t own, size_t groups) {
  const size_t wide = own * groups, rows_of_group = rows / groups;
  for (size_t r = rows; r-- > 0;) {
    uint8_t *row = weights + r * wide;
    const size_t before = r / rows_of_group * own;
    memmove(row + before, weights + r * own, own);
    memset(row, 0, before);
    memset(row + before + own, 0, wide - before - own);
  }
}

void *spk_claim_weights(const TfLiteContext *context, const spk_claim *claim,
                        const spk_window2d *w, const char **reason) {
  const TfLiteTensor *tensor = &context->tensors[claim->weights];
  const size_t groups = (size_t)spk_claim_groups(context, claim, w);
  const size_t bytes = spk_dense_bytes(tensor);
  uint8_t *weights = aligned_alloc(64, (bytes * groups + 64) / 64 * 64);
  *reason = weights ? spk_dense_weights(tensor, weights, bytes) : "memory is short";
  if (*reason) {
    free(weights);
    return NULL;
  }
  const size_t rows = (size_t)w->out_c * (size_t)w->kernel_h * (size_t)w->kernel_w;
  if (groups > 1) spread(weights, rows, bytes / rows, groups);
  return weights;
}

double spk_share_of_zeros(const spk_layer *layer, const void *weights) {
  const spk_window2d *w = &layer->window;
  const size_t count = (size_t)w->out_c * (size_t)spk_layer_cols(layer);
  size_t kept = 0;
  if (layer->dtype == SPK_S8)
    for (size_t i = 0; i < count; ++i) kept += ((const int8_t *)weights)[i] != 0;
  else
    for (size_t i = 0; i < count; ++i) kept += ((const float *)weights)[i] != 0.0f;
  return 1 - (double)kept * spk_layer_groups(layer) / (double)count;
}
