// Convolution on x86: tiles of the output in the lanes of a vector.
//
// The output is cut into tiles of some pixels; a unit of work takes as many tiles as a vector
// has lanes. The inputs that its tiles need are copied into planes, one for each channel: the
// vector at (y, x) of a plane holds the inputs at (y, x) of all tiles. So the inputs of an
// output, whatever the window, the stride and the dilation, are whole vectors, where channels
// of neighbouring pixels would have to be read from odd addresses; the price is that the inputs
// around a tile are copied more than once. A stride s puts the columns of a row into the order
// 0, s, 2s ..., 1, 1 + s ..., so that neighbouring outputs of a tile read neighbouring vectors.
//
// The rows of a tile are computed in steps, as many at a time as there are registers for sums.
// The channels are cut into slices whose planes stay in the first-level cache while all output
// channels take from them; the sums wait in memory between two slices.
#ifndef SPK_KERNELS_X86_LANES_F32_H_
#define SPK_KERNELS_X86_LANES_F32_H_

#include "spk/kernel_table.h"

typedef struct spk_lanes {
  spk_window2d window;
  int32_t lanes;
  int32_t tile_h, tile_w;    // output pixels of a tile
  int32_t steps, step_h;     // in which its rows are computed, and the rows of one
  int32_t tiles_h, tiles_w;  // tiles of an image
  int32_t units;
  int32_t rows, pitch;    // of a plane, in vectors
  int32_t columns;        // of a row that neighbouring outputs read
  int32_t plane;          // vectors from one plane to the next
  int32_t slice, slices;  // channels of a slice; their number
} spk_lanes;

// For blocks of `height` output channels; SPK_ERR_UNSUPPORTED when the planes would be large.
spk_status spk_lanes_f32_plan(const spk_layer *layer, int32_t height, int32_t lanes,
                              spk_lanes *plan);

typedef struct spk_lanes_kernel {
  int32_t height, lanes;
  // As in spk_planar_kernel.
  void (*pack)(const void *const *pixels, int32_t count, int32_t channels, void *planes,
               int32_t plane);
  // Adds what the channels of one slice give to `sums`, (output channel, pixel, lane).
  void (*compute)(const spk_args *args, const spk_lanes *plan, const float *planes,
                  int32_t slice, float *sums);
  void (*store)(const void *tile, int32_t pixels, int32_t channels, const int32_t *to,
                void *output);
} spk_lanes_kernel;

void spk_lanes_f32_run(const spk_args *args, const spk_lanes_kernel *kernel);

// blocks_f32 whose groups are those of slice 0, then those of slice 1 ..., and whose columns
// are offsets into the planes.
#define SPK_LANES_F32_FUNCTIONS(name)                                                   \
  size_t spk_lanes_f32_##name##_pack_size(const spk_layer *layer, const void *weights); \
  spk_status spk_lanes_f32_##name##_pack(const spk_layer *layer, const void *weights,   \
                                         void *packed, size_t bytes);                   \
  size_t spk_lanes_f32_##name##_scratch(const spk_layer *layer);                        \
  int32_t spk_lanes_f32_##name##_units(const spk_layer *layer);
SPK_LANES_F32_FUNCTIONS(rows1_avx2)
SPK_LANES_F32_FUNCTIONS(rows1_avx512)
SPK_LANES_F32_FUNCTIONS(rows2_avx2)
SPK_LANES_F32_FUNCTIONS(rows2_avx512)
#undef SPK_LANES_F32_FUNCTIONS

#endif  // SPK_KERNELS_X86_LANES_F32_H_
