// A tile of output pixels under one pass over the weights, for int8 convolution.
//
// For every column of the weight matrix (a tap and an input channel) the tile
// holds four 32-bit words. Where the machine multiplies 32 x 32 -> 64 bits, a word
// carries two pixels, the second 23 bits above the first: one multiply-accumulate
// into 64 bits serves both, and one weight serves eight pixels. The input offset
// is already added, so padding is the word 0 and biases stay as they are.
//
// A pixel is in [-255, 255] and a weight in [-128, 127]: after 128 products, a run, the
// low lane is still below 128 * 128 * 255 < 2^22, so it never reaches the high lane
// wrongly; then the accumulators are emptied into 32 bits. Callers that know their
// weights may promise longer runs. Armv6-M has no long multiply: there a word carries
// one pixel.
#ifndef SPK_TILE_S8_H_
#define SPK_TILE_S8_H_

#include "spk/requantize_s8.h"
#include "spk/types.h"

enum { SPK_TILE_WORDS = 4, SPK_TILE_RUN = 128 };

#if defined(__ARM_ARCH) && __ARM_ARCH == 6
enum { SPK_TILE_PIXELS = 4 };
typedef int32_t spk_lanes;
enum { SPK_LANES_EMPTY = 0 };
#else
enum { SPK_TILE_PIXELS = 8 };
typedef int64_t spk_lanes;
// Accumulators start here: the low lane never borrows from the high one.
enum { SPK_LANES_EMPTY = 1 << 22 };
#endif

// Bytes of a tile for this window.
size_t spk_tile_s8_bytes(const spk_window2d *w);

// A last tile that would stick out is moved back over pixels already done; an output of
// fewer pixels than a tile has repeats its last pixel.
static inline int32_t spk_tile_s8_first(int32_t first, int32_t pixels) {
  if (first + SPK_TILE_PIXELS <= pixels) return first;
  return pixels >= SPK_TILE_PIXELS ? pixels - SPK_TILE_PIXELS : 0;
}

// Gathers the windows of SPK_TILE_PIXELS output pixels from `first` on.
void spk_tile_s8_pack(const spk_window2d *w, int32_t input_offset, const int8_t *input,
                      int32_t first, int32_t pixels, int32_t *tile);

// What a pass over the weights of one output channel needs to end: `output` points at
// the channel in the tile's first pixel, `count` pixels exist, a sum has `terms` products.
typedef struct spk_tile_end {
  int32_t bias, terms, channel, count, out_c;
  int8_t *output;
} spk_tile_end;

// Scales what the lanes hold and stores it.
void spk_tile_s8_store(const spk_lanes acc[SPK_TILE_WORDS], const spk_requant *q,
                       const spk_tile_end *end);

// For rows of several runs: empties the lanes into sums, then stores those.
void spk_tile_s8_empty(const spk_lanes acc[SPK_TILE_WORDS], int32_t sums[SPK_TILE_PIXELS]);
void spk_tile_s8_store_sums(const int32_t sums[SPK_TILE_PIXELS], const spk_requant *q,
                            const spk_tile_end *end);

// One output channel from a tile: its sums, scaled and stored. The first reads a row of a
// stream and returns the next one, the second `end->terms` dense weights.
const uint8_t *spk_tile_s8_stream_row(const spk_requant *q, const int32_t *tile,
                                      const uint8_t *stream, const spk_tile_end *end);
void spk_tile_s8_dense_row(const spk_requant *q, const int32_t *tile, const int8_t *weights,
                           const spk_tile_end *end);

// The same for groups of `m` columns with one weight each (groups_s8 of spk/formats.h).
const uint8_t *spk_tile_s8_groups_row(const spk_requant *q, int32_t m, const int32_t *tile,
                                      const uint8_t *groups, const spk_tile_end *end);

// How many columns, or pairs, go between two emptyings.
static inline int32_t spk_tile_s8_run(const spk_requant *q) {
  return q->lane_run > SPK_TILE_RUN ? q->lane_run : SPK_TILE_RUN;
}

// a[0..3] += weight * words[0..3]. The accumulators are four variables, not an array,
// and on cores with the DSP extension the loads are paired by hand: GCC finds neither
// by itself.
#if defined(__ARM_FEATURE_DSP) && defined(__GNUC__)
#define SPK_TILE_MULTIPLY(a0, a1, a2, a3, weight, words)                               \
  do {                                                                                 \
    int32_t even_, odd_;                                                               \
    __asm__(                                                                           \
        "ldrd %[even], %[odd], [%[x]]\n\t"                                             \
        "smlal %Q[p], %R[p], %[even], %[w]\n\t"                                        \
        "smlal %Q[q], %R[q], %[odd], %[w]\n\t"                                         \
        "ldrd %[even], %[odd], [%[x], #8]\n\t"                                         \
        "smlal %Q[r], %R[r], %[even], %[w]\n\t"                                        \
        "smlal %Q[s], %R[s], %[odd], %[w]"                                             \
        : [p] "+r"(a0), [q] "+r"(a1), [r] "+r"(a2), [s] "+r"(a3), [even] "=&r"(even_), \
          [odd] "=&r"(odd_)                                                            \
        : [x] "r"(words), [w] "r"((int32_t)(weight)),                                  \
          "m"(*(const int32_t (*)[SPK_TILE_WORDS])(words)));                           \
  } while (0)
#else
#define SPK_TILE_MULTIPLY(a0, a1, a2, a3, weight, words) \
  do {                                                   \
    const spk_lanes weight_ = (weight);                  \
    (a0) += weight_ * (words)[0];                        \
    (a1) += weight_ * (words)[1];                        \
    (a2) += weight_ * (words)[2];                        \
    (a3) += weight_ * (words)[3];                        \
  } while (0)
#endif

#endif  // SPK_TILE_S8_H_
