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

// (2^bits rows, 128) bytes to (128, 2^bits): vectors `step` bytes apart at aligned places.
// `work` has room for as much.
void spk_hvx_turn_bytes(HVX_Vector *from, HVX_Vector *work, int32_t rows, int32_t bits,
                        int8_t *to, int32_t step);

// The same with the result in either array; returns which. Both are read one vector further.
HVX_Vector *spk_hvx_turn_rows(HVX_Vector *from, HVX_Vector *work, int32_t rows, int32_t bits);

// Can spk_hvx_turn_pixels read these? Vectors hold whole pixels, or pixels whole vectors.
int spk_hvx_are_regular(const int8_t *pixels, int32_t in_c);
// 128 pixels, the first 128 bytes of each at most, exclusively-ored with `sign`, become planes
// of bytes, one a channel, `step` bytes apart; with a grain of 4, 32 pixels become planes of
// words. The arrays have room for a vector a plane and one more. Planes of bytes may go to the
// first.
void spk_hvx_turn_pixels(const int8_t *pixels, int32_t in_c, HVX_Vector sign, int32_t grain,
                         HVX_Vector *first, HVX_Vector *second, uint8_t *to, int32_t step);

// (32 pixels, 32 words) in n vectors to (words, 32 pixels), `step` bytes apart: n is 32, or 16
// where pixels i and i + 16 share a vector, their words interleaved. `work` has 32 vectors.
void spk_hvx_turn_words(HVX_Vector *from, HVX_Vector *work, int32_t n, int32_t words,
                        uint8_t *to, int32_t step);

// 32 pixels, 128 bytes of each from anywhere, exclusively-ored with `sign`; the second function
// leaves 16 vectors for spk_hvx_turn_words, for 16 words at most.
void spk_hvx_load_pixels(const int8_t *pixel, int32_t in_c, HVX_Vector sign, HVX_Vector *to);
void spk_hvx_load_halves(const int8_t *pixel, int32_t in_c, HVX_Vector sign, HVX_Vector *to);

// Four vectors of 32 pixels, four columns each, become one vector a column, `step` bytes apart;
// they may take the place of the words.
void spk_hvx_put_planar(const HVX_Vector *words, uint8_t *to, int32_t step);

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
