// The weights of a claim as the kernels see them.
#ifndef SPK_DELEGATE_CLAIM_WEIGHTS_H_
#define SPK_DELEGATE_CLAIM_WEIGHTS_H_

#include "delegate/claim.h"

// Dense weights for a window that spk_claim_layer() gave, aligned to 64 bytes, for the caller
// to free(). A grouped convolution becomes one of all input channels: zeros between the groups,
// which no sparse format keeps. NULL with a reason when they cannot be read.
void *spk_claim_weights(const TfLiteContext *context, const spk_claim *claim,
                        const spk_window2d *window, const char **reason);

// The share of zeros among `weights` so made, not counting those between `groups`.
double spk_share_of_zeros(const spk_layer *layer, const void *weights);

#endif  // SPK_DELEGATE_CLAIM_WEIGHTS_H_
