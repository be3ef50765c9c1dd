// What the interpreter is expected to take for dense layers on this machine.
#ifndef SPK_DELEGATE_STOCK_COST_H_
#define SPK_DELEGATE_STOCK_COST_H_

#include "spk/layer.h"

static inline double spk_elements(int32_t batch, int32_t h, int32_t w, int32_t c) {
  return (double)batch * h * w * c;
}

double spk_stock_nanoseconds(const spk_layer *layer);

// For a multiply-add of a convolution.
double spk_stock_multiply_nanoseconds(spk_dtype dtype);

// How much longer our kernels take here than their costs say.
double spk_kernel_share(spk_dtype dtype);

#endif  // SPK_DELEGATE_STOCK_COST_H_
