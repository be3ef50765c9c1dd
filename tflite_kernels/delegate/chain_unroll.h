// Convolutions whose windows become pixels where they enter a chain.
#ifndef SPK_DELEGATE_CHAIN_UNROLL_H_
#define SPK_DELEGATE_CHAIN_UNROLL_H_

#include "delegate/link.h"

// Must the windows of this link be unrolled? Then nothing else in its chain may read or make
// what it reads.
bool spk_unrolls(const spk_link *link, const spk_window2d *window);

// Can they be?
bool spk_can_unroll(const spk_window2d *window);

// The same convolution of pixels.
spk_window2d spk_unrolled(const spk_window2d *window);

// Weights of an output channel of int8 that lie side by side in words: a row of an unrolled
// window, else all.
int32_t spk_run_of_link(const spk_link *link, const spk_window2d *window);

#endif  // SPK_DELEGATE_CHAIN_UNROLL_H_
