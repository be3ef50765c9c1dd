// The custom operator KerasPruneWinnerTakeAll: no stock runtime has it, so it is always taken.
#ifndef SPK_DELEGATE_WINNERS_H_
#define SPK_DELEGATE_WINNERS_H_

#include "delegate/tflite_abi.h"
#include "spk/winners.h"

// Is this node one? Then `reason` is NULL, or says why it cannot be run.
bool spk_is_winners_node(TfLiteContext *context, int node, const char **reason);

// Takes the node. `delegate` is our own.
TfLiteStatus spk_claim_winners(TfLiteContext *context, struct TfLiteDelegate *delegate,
                               int node);

// Reads the options of a node; `p` points into `data` afterwards. Returns 0 for bytes that are
// no such options, whatever they say.
int spk_read_winners(const void *data, size_t bytes, spk_winners *p);

#endif  // SPK_DELEGATE_WINNERS_H_
