// Transpositions in HVX, as passes over arrays of vectors.
//
// Interleaving vector i with vector i + n / 2 into vectors 2 i and 2 i + 1, for all of n = 2^k
// vectors, moves the uppermost bit of an element's place to the lowest end: the address of an
// element, its bits read as (vector, lane), is rotated by one. So k passes give the transposed
// array of (2^k, lanes).
#ifndef SPK_TRANSPOSE_HVX_H_
#define SPK_TRANSPOSE_HVX_H_

#include "spk/conv2d_hvx.h"

enum { SPK_HVX_TURN_BYTES = 128 * SPK_HVX_BYTES };

#if defined(__HVX__)

// (2^bits rows, 128) bytes to (128, 2^bits); returns where the result lies: in `from` or `to`.
const HVX_Vector *spk_hvx_turn_bytes(HVX_Vector *from, HVX_Vector *to, int32_t rows,
                                     int32_t bits);

// (32 pixels, 32 words) to (`words`, 32 pixels), a power of two of them: the others are
// dropped. `from` has 32 vectors, and so has `to`; returns where the result lies.
HVX_Vector *spk_hvx_turn_words(HVX_Vector *from, HVX_Vector *to, int32_t words);

// Bytes to anywhere, and not one more; reads up to 127 bytes behind the last.
void spk_hvx_copy(int8_t *to, const int8_t *from, int32_t bytes);

SPK_INLINE HVX_Vector spk_hvx_load(const void *from) {
  HVX_Vector v;
  __asm__ volatile("%0 = vmemu(%1+#0)" : "=v"(v) : "r"(from) : "memory");
  return v;
}

SPK_INLINE void spk_hvx_store(void *to, HVX_Vector v) {
  __asm__ volatile("vmemu(%0+#0) = %1" : : "r"(to), "v"(v) : "memory");
}

#endif  // __HVX__
#endif  // SPK_TRANSPOSE_HVX_H_
