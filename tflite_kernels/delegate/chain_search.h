// Finds the chains of a model that are expected to win, and claims them.
#ifndef SPK_DELEGATE_CHAIN_SEARCH_H_
#define SPK_DELEGATE_CHAIN_SEARCH_H_

#include "delegate/node.h"

TfLiteStatus spk_claim_chains(TfLiteContext *context, spk_delegate *delegate,
                              const TfLiteIntArray *plan);

#endif  // SPK_DELEGATE_CHAIN_SEARCH_H_
