// How long a kernel takes for a layer, here and now.
#ifndef SPK_DELEGATE_MEASURE_H_
#define SPK_DELEGATE_MEASURE_H_

#include "spk/kernel_table.h"

// Nanoseconds of a monotonic clock.
double spk_now(void);

// The shortest of the runs that fit into about a millisecond, in nanoseconds, on one thread and
// on inputs without zeros. `weights` are dense. 0 when memory is short, the layer is too large
// to be tried, or the kernel does not take it.
double spk_measure_kernel(const spk_kernel *kernel, const spk_layer *layer,
                          const void *weights);

#endif  // SPK_DELEGATE_MEASURE_H_
