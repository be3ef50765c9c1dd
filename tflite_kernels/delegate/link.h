// Nodes that can hand planes to each other (kernels/x86/planes_f32.h): the links of a chain.
#ifndef SPK_DELEGATE_LINK_H_
#define SPK_DELEGATE_LINK_H_

#include "delegate/claim.h"
#include "kernels/x86/planes_f32.h"

typedef enum spk_link_kind {
  SPK_LINK_CONV_2D,    // sparse weights
  SPK_LINK_DEPTHWISE,  // dense ones
  SPK_LINK_POINTWISE,
} spk_link_kind;

// A float32 node of stride 1, by the numbers of its tensors.
typedef struct spk_link {
  spk_link_kind kind;
  spk_planes_function function;  // of a pointwise link
  spk_claim claim;               // what claim.h says; of a pointwise link only `node`
  int32_t input_count, inputs[2], output;
  float act_min, act_max;
  int32_t rows;  // CONV_2D: of the blocks that its weights are packed in
} spk_link;

// Fills all but `rows`. Returns NULL, "" for another operator, or why the node is no link.
const char *spk_read_link(TfLiteContext *context, const TfLiteIntArray *plan, int node,
                          spk_link *link);

// The geometry for the present input shapes. Returns NULL or why it is not taken.
const char *spk_link_window(TfLiteContext *context, const spk_link *link, spk_window2d *window);

#endif  // SPK_DELEGATE_LINK_H_
