// Copies of shifted planes, under masks, in HVX.
#ifndef SPK_COPY_HVX_H_
#define SPK_COPY_HVX_H_

#include "spk/conv2d_hvx.h"

#if defined(__HVX__)

// `count` times 512 bytes from anywhere, `step` bytes apart, to aligned places `to_step` bytes
// apart. Where a byte of the four masks is 0, `padding` is written. One more time is read.
void spk_hvx_copy_words(const uint8_t *from, int32_t step, int32_t count,
                        const HVX_Vector *masks, HVX_Vector padding, uint8_t *to,
                        int32_t to_step);

// The same with 128 bytes and one mask, to places behind each other.
void spk_hvx_copy_bytes(const uint8_t *from, int32_t step, int32_t count,
                        const HVX_Vector *mask, HVX_Vector padding, uint8_t *to);

// Three such copies of every plane at once, from `from + at[k]` under mask k to to[k]: at[0] is
// 0, and the others are at most 128 and in their order. `count` is even.
void spk_hvx_copy_thrice(const uint8_t *from, const int32_t at[3], int32_t step, int32_t count,
                         const HVX_Vector *const mask[3], HVX_Vector padding,
                         uint8_t *const to[3]);

#endif  // __HVX__
#endif  // SPK_COPY_HVX_H_
