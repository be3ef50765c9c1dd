// Nodes that can hand planes to each other (kernels/x86/planes.h): the links of a chain.
#ifndef SPK_DELEGATE_LINK_H_
#define SPK_DELEGATE_LINK_H_

#include "delegate/claim.h"
#include "kernels/x86/planes_s8.h"

typedef enum spk_link_kind {
  SPK_LINK_CONV_2D,    // sparse weights
  SPK_LINK_DEPTHWISE,  // dense ones
  SPK_LINK_POINTWISE,
} spk_link_kind;

// A node of stride 1, by the numbers of its tensors. Of int8 there are convolutions of one
// pixel, depthwise ones of 3x3 and stride 1 or 2 and sums, of a multiple of four channels; and
// where a chain begins, convolutions with any stride and window (chain_unroll.h).
typedef struct spk_link {
  spk_link_kind kind;
  spk_dtype dtype;
  spk_planes_function function;  // of a pointwise link
  spk_claim claim;               // what claim.h says; of a pointwise link only `node`
  int32_t input_count, inputs[2], output;
  float act_min, act_max;    // float32
  spk_planes_add_s8 add_s8;  // of a pointwise link of int8
  int32_t rows;              // CONV_2D: of the blocks that its weights are packed in
} spk_link;

// Fills all but `rows`. Returns NULL, "" for another operator, or why the node is no link.
const char *spk_read_link(TfLiteContext *context, const TfLiteIntArray *plan, int node,
                          spk_link *link);

// The geometry for the present input shapes: op, dtype and window. Returns NULL or why it is
// not taken.
const char *spk_link_layer(TfLiteContext *context, const spk_link *link, spk_layer *layer);

#endif  // SPK_DELEGATE_LINK_H_
