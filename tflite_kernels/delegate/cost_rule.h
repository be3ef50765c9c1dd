// Which kernel is expected to be the fastest, and does it beat the stock interpreter?
#ifndef SPK_DELEGATE_COST_RULE_H_
#define SPK_DELEGATE_COST_RULE_H_

#include "spk/kernel_table.h"

// The kernel with the lowest expected time for this layer on this machine; its reference takes
// every layer, so there always is one. `nanoseconds` is that time.
const spk_kernel *spk_choose_kernel(const spk_layer *layer, const void *weights,
                                    double *nanoseconds);

// Does the table of costs know this kernel?
int spk_has_cost(const spk_kernel *kernel);

// Is a kernel that is expected to take so long worth claiming the layer for, of which the stock
// interpreter is expected to take what stock_cost.h says?
int spk_beats_stock(const spk_layer *layer, double nanoseconds);
int spk_wins(double nanoseconds, double stock);

// What this kernel is expected to take for a layer whose packed weights have so many bytes.
double spk_expected_nanoseconds(const spk_kernel *kernel, const spk_layer *layer, size_t bytes);

#endif  // SPK_DELEGATE_COST_RULE_H_
