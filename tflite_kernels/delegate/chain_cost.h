// What layers take within a chain, where they begin and end, and alone.
#ifndef SPK_DELEGATE_CHAIN_COST_H_
#define SPK_DELEGATE_CHAIN_COST_H_

#include "delegate/link.h"

// Nanoseconds on the scale of cost_rule.h.
typedef struct spk_link_cost {
  double inside;           // as a link
  double stock;            // what the interpreter takes
  double enter[2], leave;  // to convert its inputs and its output
} spk_link_cost;

// The best height of blocks for the weights, (out, in) row-major, of a convolution.
int32_t spk_link_rows(const spk_link *link, const spk_layer *layer, const void *weights);

// `weights` of a CONV_2D are dense; others may be NULL.
spk_link_cost spk_cost_of_link(const spk_link *link, const spk_layer *layer,
                               const void *weights);

// What a chain takes on top of its links.
double spk_chain_call_nanoseconds(void);

#endif  // SPK_DELEGATE_CHAIN_COST_H_
