// float32 operators on channels-planar activations, for neighbouring layers that hand planes to
// each other instead of NHWC tensors.
//
// A plane holds one channel: rows of pixels, `pitch` floats from one to the next, with zeros
// where windows read beyond the image: before its first row, behind its last, and in the
// columns between two rows. So its pixels are one stream, and a tap of a window is one offset
// in it. Planes lie an odd number of cache lines apart, each a multiple of 16 floats long.
//
//   pixel (y, x) of channel c: planes[c * plane + origin + y * pitch + x]
//
// Operators work on tiles: a multiple of 16 neighbouring pixels of the stream, for all
// channels. A tile alone, without its planes, is the same with another distance between
// channels.
#ifndef SPK_KERNELS_X86_PLANES_F32_H_
#define SPK_KERNELS_X86_PLANES_F32_H_

#include <stddef.h>
#include <stdint.h>

#include "spk/types.h"

enum { kSpkPlanesVector = 16, kSpkPlanesTile = 96, kSpkPlanesTileStride = 112 };

// Where windows may read beyond an image, and how large the image is.
typedef struct spk_planes {
  int32_t height, width;
  int32_t gap;          // columns of zeros between two rows
  int32_t top, bottom;  // rows of zeros
  int32_t pitch, origin, plane;
} spk_planes;

// Fills in pitch, origin and plane. 0 when they would not fit 32 bits.
int spk_planes_lay_out(spk_planes *planes);

// A tile: channel c begins at `at` + c * `stride`.
typedef struct spk_planes_tile {
  float *at;
  int32_t stride;
} spk_planes_tile;

// A sparse convolution of stride 1. `packed` is blocks_f32 of height 1, 2 or 4; its columns are
// offsets from `at` of the input tile, which begins at the first tap.
typedef struct spk_planes_conv2d {
  const void *packed;
  const float *bias;  // padded with zeros to a multiple of 4, or NULL
  int32_t rows;       // height of a block
  int32_t channels;
  float act_min, act_max;
} spk_planes_conv2d;

// A depthwise convolution of stride 1: channel c has `taps` weights at weights + c * taps.
typedef struct spk_planes_depthwise {
  const float *weights, *bias;
  const int32_t *offset;  // (taps,)
  int32_t taps, channels;
  float act_min, act_max;
} spk_planes_depthwise;

typedef enum spk_planes_function {
  SPK_PLANES_ADD,         // a + b
  SPK_PLANES_MUL,         // a * b
  SPK_PLANES_CLAMP,       // a
  SPK_PLANES_HARD_SWISH,  // a * clamp(a + 3, 0, 6) / 6
} spk_planes_function;

// Each clamps its results to [act_min, act_max]; NaN stays NaN. The last group of a convolution
// writes whole blocks: up to three channels behind the last one.
typedef struct spk_planes_kernels {
  const char *isa;
  // Pixels, by their addresses, into a tile of `channels` channels.
  void (*pack)(const void *const *pixels, int32_t count, int32_t channels, void *planes,
               int32_t plane);
  // A tile into NHWC: pixel p goes to output + to[p], unless to[p] is negative.
  void (*store)(spk_planes_tile from, int32_t pixels, int32_t channels, const int32_t *to,
                float *output);
  void (*conv2d)(const spk_planes_conv2d *conv, spk_planes_tile from, int32_t pixels,
                 spk_planes_tile to);
  void (*depthwise)(const spk_planes_depthwise *conv, spk_planes_tile from, int32_t pixels,
                    spk_planes_tile to);
  void (*pointwise)(spk_planes_function function, spk_planes_tile a, spk_planes_tile b,
                    int32_t pixels, int32_t channels, float act_min, float act_max,
                    spk_planes_tile to);
} spk_planes_kernels;

// The kernels for this machine, or NULL.
const spk_planes_kernels *spk_planes_kernels_here(void);

// Are there any?
SPK_API int spk_has_chains(void);

extern const spk_planes_kernels spk_planes_f32_avx2, spk_planes_f32_avx512;

#endif  // SPK_KERNELS_X86_PLANES_F32_H_
