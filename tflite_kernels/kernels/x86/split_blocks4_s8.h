// blocks4_s8 that AVX2 can multiply without VNNI.
//
// vpmaddubsw adds two products of x + 128 with a weight in 16 bits, and saturates: it is exact
// as long as two neighbouring weights have sizes that sum up to at most 128, as 255 * 128 <
// 2^15. Most have. A block with larger ones becomes two blocks of the same place, whose weights
// are the halves of its own.
#ifndef SPK_KERNELS_X86_SPLIT_BLOCKS4_S8_H_
#define SPK_KERNELS_X86_SPLIT_BLOCKS4_S8_H_

#include "formats/blocks4_s8.h"

// What splitting adds to blocks of these dense weights, (rows, cols), in bytes.
size_t spk_split_blocks4_s8_extra(const int8_t *weights, int32_t rows, int32_t cols,
                                  int32_t run, int32_t height);

// In place.
void spk_split_blocks4_s8(void *packed);

#endif  // SPK_KERNELS_X86_SPLIT_BLOCKS4_S8_H_
