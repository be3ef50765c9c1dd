// How fast this processor multiplies, to correct what the stock interpreter is expected to
// take.
#ifndef SPK_DELEGATE_MACHINE_SPEED_H_
#define SPK_DELEGATE_MACHINE_SPEED_H_

#include "spk/kernel_table.h"

// By how much longer the stock interpreter is expected to take for the layer than
// spk_stock_nanoseconds() says, as that was fitted to another processor. Measured once in a
// process, in a millisecond; 1 where there is nothing to measure with.
double spk_machine_factor(const spk_layer *layer);

// Operations of an spk_dtype that one core can do in a second, where a multiplication and an
// addition are two; 0 where that is not known. Measured anew in each call, in a millisecond.
SPK_API double spk_peak_operations(int dtype);

#endif  // SPK_DELEGATE_MACHINE_SPEED_H_
