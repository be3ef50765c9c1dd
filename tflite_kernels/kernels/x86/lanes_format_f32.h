// What the run over tiles in lanes and its format know of each other.
#ifndef SPK_KERNELS_X86_LANES_FORMAT_F32_H_
#define SPK_KERNELS_X86_LANES_FORMAT_F32_H_

#include "kernels/x86/lanes_f32.h"

size_t spk_lanes_f32_scratch(const spk_lanes *plan);

#endif  // SPK_KERNELS_X86_LANES_FORMAT_F32_H_
