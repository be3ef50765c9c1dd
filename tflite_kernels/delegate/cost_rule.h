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

// What the stock interpreter (XNNPACK) is expected to need for the dense layer.
double spk_stock_nanoseconds(const spk_layer *layer);

// Is a kernel that is expected to take so long worth claiming the layer for?
int spk_beats_stock(const spk_layer *layer, double nanoseconds);
int spk_wins(double nanoseconds, double stock);

// What this kernel is expected to take for a layer whose packed weights have so many bytes.
double spk_expected_nanoseconds(const spk_kernel *kernel, const spk_layer *layer, size_t bytes);

// What one multiply-add of a convolution takes in the stock interpreter.
double spk_stock_multiply_nanoseconds(spk_dtype dtype);

#endif  // SPK_DELEGATE_COST_RULE_H_
