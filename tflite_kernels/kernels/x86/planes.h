// Operators on channels-planar activations, for neighbouring layers that hand planes to each
// other instead of NHWC tensors.
//
// A plane holds 32-bit words: one channel of float32, or four neighbouring channels of int8 as
// x + 128, as the dot-product instructions want them. Its rows of pixels are `pitch` words
// apart, with padding where windows read beyond the image: before its first row, behind its
// last, and in the columns between two rows. So its pixels are one stream, and a tap of a
// window is one offset in it. Planes lie an odd number of cache lines apart, each a multiple of
// 16 words long.
//
//   pixel (y, x) of plane i: planes[i * plane + origin + y * pitch + x]
//
// Operators work on tiles: a multiple of 16 neighbouring pixels of the stream, for all planes.
// A tile alone, without its planes, is the same with another distance between planes.
#ifndef SPK_KERNELS_X86_PLANES_H_
#define SPK_KERNELS_X86_PLANES_H_

#include <stddef.h>
#include <stdint.h>

#include "spk/layer.h"

enum { kSpkPlanesVector = 16, kSpkPlanesTile = 96, kSpkPlanesTileStride = 112 };
enum { kSpkPlanesWord = 4 };                                 // bytes
enum { kSpkPlanesMostStep = 8, kSpkPlanesStepsRead = 128 };  // bytes, see pack_steps

// Where windows may read beyond an image, and how large the image is.
typedef struct spk_planes {
  int32_t height, width;
  int32_t gap;          // columns of padding between two rows
  int32_t top, bottom;  // rows of padding
  int32_t stride;       // the largest of the windows
  int32_t pitch, origin, plane;
} spk_planes;

// Fills in pitch, origin and plane. 0 when they would not fit 32 bits.
int spk_planes_lay_out(spk_planes *planes);

// A tile: plane i begins at `at` + i * `stride` words.
typedef struct spk_planes_tile {
  void *at;
  int32_t stride;
} spk_planes_tile;

// The same from the pixel `pixels` on.
static inline spk_planes_tile spk_planes_from(spk_planes_tile tile, int32_t pixels) {
  const spk_planes_tile rest = {(uint8_t *)tile.at + (ptrdiff_t)pixels * kSpkPlanesWord,
                                tile.stride};
  return rest;
}

// Neighbouring pixels of one row of an output: the word where the first tap of the first one
// lies in a plane of the input, and the word where it goes.
typedef struct spk_planes_row {
  int32_t from, to, pixels;
} spk_planes_row;

// What is no pixel of a tile: `word` belongs there.
typedef struct spk_planes_gaps {
  const int32_t *at;  // in order
  int32_t count;
  int32_t first;  // the pixel where the tile begins
  uint32_t word;
} spk_planes_gaps;

// Those of the pixels [begin, end).
static inline spk_planes_gaps spk_planes_gaps_in(spk_planes_gaps gaps, int32_t begin,
                                                 int32_t end) {
  for (; gaps.count > 0 && gaps.at[0] < begin; --gaps.count) ++gaps.at;
  while (gaps.count > 0 && gaps.at[gaps.count - 1] >= end) --gaps.count;
  gaps.first = begin;
  return gaps;
}

// In the plane of a tile.
static inline void spk_planes_fill_gaps(const spk_planes_gaps *gaps, void *plane) {
  uint32_t *words = plane;
  for (int32_t i = 0; i < gaps->count; ++i) words[gaps->at[i] - gaps->first] = gaps->word;
}

typedef enum spk_planes_function {
  SPK_PLANES_ADD,         // a + b
  SPK_PLANES_MUL,         // a * b
  SPK_PLANES_CLAMP,       // a
  SPK_PLANES_HARD_SWISH,  // a * clamp(a + 3, 0, 6) / 6
} spk_planes_function;

// For one type. What describes a convolution or a sum of int8 is in planes_f32.h and
// planes_s8.h.
typedef struct spk_planes_kernels {
  const char *isa;
  int32_t channels;  // of a plane
  int splits;        // blocks of int8 weights, see split_blocks4_s8.h
  // Pixels, by their addresses, into a tile of `planes`.
  void (*pack)(const void *const *pixels, int32_t count, int32_t planes, void *to,
               int32_t stride);
  // Of int8; NULL where there is none. The same for a vector of pixels that lie `step` bytes
  // apart, at most kSpkPlanesMostStep. Reads kSpkPlanesStepsRead bytes from each word of the
  // first pixel on.
  void (*pack_steps)(const void *from, int32_t step, int32_t planes, void *to, int32_t stride);
  // A tile into NHWC: pixel p goes to element to[p] of the output, unless that is negative.
  void (*store)(spk_planes_tile from, int32_t pixels, int32_t channels, const int32_t *to,
                void *output);
  // Of stride 1; `from` begins at the first tap. Fills gaps while its results are near.
  void (*conv2d)(const void *conv, spk_planes_tile from, int32_t pixels, spk_planes_tile to,
                 const spk_planes_gaps *gaps);
  void (*depthwise)(const void *conv, spk_planes_tile from, int32_t pixels, spk_planes_tile to);
  // Of stride 2. NULL where there is none.
  void (*depthwise2)(const void *conv, spk_planes_tile from, const spk_planes_row *rows,
                     int32_t count, spk_planes_tile to);
  // Of float32; NULL where there is none. Clamps its results to [act_min, act_max]; NaN stays
  // NaN.
  void (*pointwise)(spk_planes_function function, spk_planes_tile a, spk_planes_tile b,
                    int32_t pixels, int32_t channels, float act_min, float act_max,
                    spk_planes_tile to);
  // Of int8; NULL where there is none.
  void (*add)(const void *add, spk_planes_tile a, spk_planes_tile b, int32_t pixels,
              spk_planes_tile to);
} spk_planes_kernels;

// The kernels for this machine, or NULL.
const spk_planes_kernels *spk_planes_kernels_here(spk_dtype dtype);

// Are there any for float32, for int8?
SPK_API int spk_has_chains(void);
SPK_API int spk_has_s8_chains(void);

extern const spk_planes_kernels spk_planes_f32_avx2, spk_planes_f32_avx512;
extern const spk_planes_kernels spk_planes_s8_avx2, spk_planes_s8_avxvnni;
extern const spk_planes_kernels spk_planes_s8_avx512vnni, spk_planes_s8_avx512vbmi;

#endif  // SPK_KERNELS_X86_PLANES_H_
