// Convolution on x86 and 64-bit Arm: output pixels in the lanes of a vector.
//
// A band of output rows is computed at a time. Its input rows are copied once into planes, one
// for each channel, so that for every weight the inputs of neighbouring output pixels are
// neighbours in memory; padding is written out. A stride s splits a plane into s phases (every
// s-th column, every s-th row), within which the stride is 1. The pixels of a band form one
// stream of rows `pitch` long; the last columns of a row, where a window would wrap around,
// give results that are not stored. A weight then is an offset into the planes, found when
// packing.
#ifndef SPK_KERNELS_PLANAR_H_
#define SPK_KERNELS_PLANAR_H_

#include "spk/kernel_table.h"

enum { kSpkMaxTile = 128, kSpkTileChannels = 16, kSpkMaxTileChannels = 64 };

typedef struct spk_planar {
  spk_window2d window;  // of one image; a pointwise layer is seen as one column of pixels
  int32_t rows, bands;  // output rows of a band, bands of an image
  int32_t phases_h, phases_w;  // phases that some tap uses
  int32_t pitch, plane_rows;   // of one plane
  int32_t shared;    // columns of padding behind a row that are those in front of the next
  int32_t plane;     // elements from one plane to the next
  int64_t elements;  // of all planes, with the slack that vectors may read behind
} spk_planar;

// `element`: bytes of an input element. SPK_ERR_UNSUPPORTED when offsets would not fit 32 bits.
spk_status spk_planar_plan(const spk_layer *layer, size_t element, spk_planar *plan);

// Where the input of column `column` of the weight matrix lies, in elements from the planes.
uint32_t spk_planar_offset(const spk_planar *plan, uint32_t column);

// Bands of all images.
int32_t spk_planar_units(const spk_layer *layer, size_t element);

// Per thread: the planes, one pixel of padding, a tile of results. A kernel may add `extra`
// bytes of its own behind them.
size_t spk_planar_scratch(const spk_layer *layer, size_t element);

// What a kernel adds to the common loop.
typedef struct spk_planar_kernel {
  size_t element;
  size_t output;  // bytes of an output element; 0: of an input element
  int32_t
      channels;  // output channels of a tile, at most kSpkMaxTileChannels; 0: kSpkTileChannels
  // Pixels of a tile: sizes that compute() takes, largest first, ended by 0.
  int32_t tiles[8];
  // The smallest size, if all are multiples of it and it divides a cache line: tiles then
  // hold no pixels behind the last one but those that fill up its vector. Else 0.
  int32_t granule;
  // Without a granule: are tiles to be about as large as each other? Small ones have too few
  // sums for the registers, and wait for them.
  int even;
  // Copies `count` pixels of `channels` each, given by address, into columns of the planes.
  void (*pack)(const void *const *pixels, int32_t count, int32_t channels, void *planes,
               int32_t plane);
  // The same where pixels lie a large power of two apart: writing one cache line of every
  // pixel only is slow there. 0: as else.
  int32_t most_channels;
  // Tiles need not fit into the first-level cache: compute() fetches ahead.
  int fetches_ahead;
  // Results of the channels [begin, end) for `pixels` pixels from `planes` on, into `tile`,
  // (channel, kSpkMaxTile) or as else compute() and store() agree, of no more bytes than
  // kSpkMaxTileChannels * kSpkMaxTile input elements.
  void (*compute)(const spk_args *args, const void *planes, int32_t pixels, int32_t begin,
                  int32_t end, void *tile);
  // tile -> NHWC: pixel p goes to output + to[p], unless to[p] is negative.
  void (*store)(const void *tile, int32_t pixels, int32_t channels, const int32_t *to,
                void *output);
  int padding;                    // the byte that fills padding
  size_t pixel_bytes, row_bytes;  // from one pixel or row of the input to the next; 0: dense
  // Optional. The packed weights that matter for the planes of a band: args->packed, or a copy
  // in `extra` without what meets only zeros.
  const void *(*live)(const spk_args *args, const spk_planar *plan, const void *planes,
                      void *extra);
} spk_planar_kernel;

void spk_planar_run(const spk_args *args, const spk_planar_kernel *kernel);

#endif  // SPK_KERNELS_PLANAR_H_
