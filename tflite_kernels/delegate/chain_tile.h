// A tile of a chain at work: shared by the files that run chains.
#ifndef SPK_DELEGATE_CHAIN_TILE_H_
#define SPK_DELEGATE_CHAIN_TILE_H_

#include "delegate/chain_plan.h"

// A tile at work: `pixels` pixels of the stream from `first` on, a whole number of vectors.
typedef struct tile_work {
  const spk_chain_call *call;
  const chain_pass *pass;
  uint8_t *tiles;
  int32_t first, pixels;
  int32_t band_first;  // the pixel where the band begins
  bool is_last;
  // Places in the tile, and not behind the last pixel, that are none of the image.
  const int32_t *gaps;
  int32_t gap_count;
} tile_work;

// Where a tile has a value.
spk_planes_tile spk_tile_of(const tile_work *work, int32_t value);

// Neighbouring pixels of a tile that are pixels of one row, or lie between two rows or behind
// the last one.
typedef struct pixel_run {
  int32_t at, count;  // in the tile
  int32_t number;     // of the first pixel in the image, or -1
  int32_t y, x;       // of the first pixel
} pixel_run;

// To be followed by spk_next_run().
pixel_run spk_no_run(const tile_work *work);

// False behind the tile's last pixel.
bool spk_next_run(const tile_work *work, pixel_run *run);

// The windows of an unrolled convolution of `image` into planes.
void spk_pack_windows(const tile_work *work, int32_t value, const uint8_t *image);

// A tile of an NHWC tensor into planes, and back.
void spk_pack_tile(const tile_work *work, int32_t value);
void spk_store_tile(const tile_work *work, int32_t value);

#endif  // SPK_DELEGATE_CHAIN_TILE_H_
