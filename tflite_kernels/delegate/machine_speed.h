// How fast this processor multiplies, to correct what the stock interpreter is expected to
// take.
#ifndef SPK_DELEGATE_MACHINE_SPEED_H_
#define SPK_DELEGATE_MACHINE_SPEED_H_

#include "spk/kernel_table.h"

// By how much longer the stock interpreter is expected to take for the layer than
// spk_stock_nanoseconds() says, as that was fitted to another processor. Measured once in a
// process, in a millisecond; 1 where there is nothing to measure with.
double spk_machine_factor(const spk_layer *layer);

#endif  // SPK_DELEGATE_MACHINE_SPEED_H_
