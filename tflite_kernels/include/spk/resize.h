// RESIZE_NEAREST_NEIGHBOR and RESIZE_BILINEAR. Where an output row or column reads was computed
// ahead of time, in TFLite's arithmetic.
#ifndef SPK_RESIZE_H_
#define SPK_RESIZE_H_

#include "spk/types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct spk_resize {
  int32_t batch, in_h, in_w, out_h, out_w;
  int32_t pixel;                 // nearest: bytes of a pixel; bilinear: its channels
  const int32_t *rows, *cols;    // (out_h,), (out_w,): the nearest, or the lower neighbour
  const int32_t *rows2, *cols2;  // bilinear: the upper neighbour
  const int32_t *row_parts, *col_parts;  // bilinear, int8: weight of the upper one, in 1/1024
  const float *row_shares, *col_shares;  // bilinear, float32: weight of the upper one
} spk_resize;

void spk_resize_nearest__c(const spk_resize *r, const void *input, void *output);
void spk_resize_bilinear_s8__ref(const spk_resize *r, const int8_t *input, int8_t *output);
void spk_resize_bilinear_f32__c(const spk_resize *r, const float *input, float *output);

#ifdef __cplusplus
}
#endif
#endif  // SPK_RESIZE_H_
