// Which node is this, and do we take it?
#ifndef SPK_DELEGATE_CLAIM_H_
#define SPK_DELEGATE_CLAIM_H_

#include "delegate/tflite_abi.h"
#include "spk/layer.h"

// A FULLY_CONNECTED, CONV_2D or DEPTHWISE_CONV_2D node whose weights are constant, by the
// numbers of its tensors.
typedef struct spk_claim {
  int node;
  int densify;  // node that only makes these weights dense and is claimed with it, or -1
  int input, filter, bias, output;  // bias may be kTfLiteOptionalTensor
  int weights;                      // the constant behind `filter`
  spk_op op;
  spk_dtype dtype;
  int activation;
  bool keep_num_dims;               // FULLY_CONNECTED
  int padding, stride_h, stride_w;  // the convolutions
  int dilation_h, dilation_w;
} spk_claim;

// The dimension of the weights that counts the output channels.
static inline int spk_channel_dimension(spk_op op) {
  return op == SPK_DEPTHWISE_CONV_2D ? 3 : 0;
}

// Fills `claim`. Returns NULL, "" for another operator, or why the node is not taken.
const char *spk_claim_node(TfLiteContext *context, const TfLiteIntArray *plan, int node,
                           spk_claim *claim);

// Groups of channels of a CONV_2D for a window that spk_claim_layer() gave; others have one.
int32_t spk_claim_groups(const TfLiteContext *context, const spk_claim *claim,
                         const spk_window2d *window);

// The geometry for the present input shape. Returns NULL or why it is not taken. Fills the
// window, op, dtype and groups of `layer` only.
const char *spk_claim_layer(TfLiteContext *context, const spk_claim *claim, spk_layer *layer);

// The outputs and the padding of one axis, by the padding that `claim` asks for.
void spk_place_window(const spk_claim *claim, int in, int kernel, int stride, int dilation,
                      int32_t *out, int32_t *pad);

#endif  // SPK_DELEGATE_CLAIM_H_
