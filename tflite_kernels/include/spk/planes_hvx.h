// The input of an HVX convolution as planes, so that every tap is a place in them.
//
// A plane holds one group of four channels, 32-bit words of unsigned bytes, for all pixels.
// Output pixel (y, x) stands at position y * pitch + x, and a tap reads the word at that
// position plus an offset of its own. Of three kinds:
//
// - Flat, for stride 1 where the output is not wider than the input: the pixels follow each
//   other as in the input, so that the pitch is in_w and no position is wasted on padding; rows
//   of padding lie before and behind. A tap that begins in another column finds pixels of a
//   neighbouring row where it should find padding, so its reads go through a mask. Planar tiles
//   are copied from planes of bytes, one a channel.
// - Strided: a plane for one phase of the strides; its rows and columns are those input rows
//   and columns, padding included, that lie a stride apart.
// - None, for 1x1 and stride 1; tiles are packed from the input.
//
// Where the rows of flat planes are whole vectors, masked copies of them are made for every
// column of the kernel, and a tile is nothing but a place in them.
#ifndef SPK_PLANES_HVX_H_
#define SPK_PLANES_HVX_H_

#include "spk/conv2d_hvx.h"

enum { SPK_HVX_NO_PLANES, SPK_HVX_FLAT, SPK_HVX_STRIDED };

#if defined(__HVX__)

typedef struct spk_hvx_planes {
  const spk_window2d *w;
  const int8_t *input, *input_end;
  uint8_t *words;      // the planes
  HVX_Vector *masks;   // of flat planes: (kernel_w, masked positions), words or bytes
  HVX_Vector padding;  // the zero point as the planes hold it
  int32_t kind, planar;
  int32_t copied;  // 1: flat planes are copied for every column of the kernel
  int32_t groups;  // of four channels
  int32_t phases_h, phases_w;
  int32_t rows, pitch;
  int32_t front;  // positions of flat planes before the first pixel
  int32_t span;   // positions of a plane
  int32_t plane;  // bytes of a plane: 4 a position, or 1 in planes of bytes
  int32_t batch, positions;
  int32_t out_h, out_w, out_pitch;  // one row where no position is wasted
} spk_hvx_planes;

#endif  // __HVX__

size_t spk_hvx_planes_bytes(const spk_window2d *w);
// (in_c / 4 * kernel_h * kernel_w,): where every four columns of an interleaved tile lie behind
// its base.
SPK_API void spk_hvx_fill_offsets(const spk_window2d *w, int32_t *offsets);

#if defined(__HVX__)

spk_hvx_planes spk_hvx_planes_of(const spk_window2d *w, int32_t input_offset,
                                 const int8_t *input, uint8_t *scratch, int32_t planar);
// `work` has room for one tile.
void spk_hvx_fill_planes(const spk_hvx_planes *p, int32_t batch, HVX_Vector *work,
                         HVX_Vector *turn);
// The tile of the 128 positions from `position` on, after the one before it; returns its base.
const uint8_t *spk_hvx_fill_tile(const spk_hvx_planes *p, int32_t position, HVX_Vector *tile,
                                 HVX_Vector *turn);

// Flat planes, see flat_planes_hvx.c: masks, and the padding before and behind the pixels.
void spk_hvx_fill_padding(const spk_hvx_planes *p);
// Copies for all columns of the kernel, and the plane of the first group as one of them has it.
void spk_hvx_copy_planes(const spk_hvx_planes *p);
uint8_t *spk_hvx_copy_of(const spk_hvx_planes *p, int32_t kx);
// The position of a plane that a row of the kernel reads for the first output, plus `shift`.
int32_t spk_hvx_flat_place(const spk_hvx_planes *p, int32_t ky, int32_t shift);
void spk_hvx_flat_tile(const spk_hvx_planes *p, int32_t position, uint8_t *to);

// Packing, see pack_hvx.c.
void spk_hvx_pack_flat(const spk_hvx_planes *p, const int8_t *image, HVX_Vector *work,
                       HVX_Vector *turn);
void spk_hvx_pack_strided(const spk_hvx_planes *p, const int8_t *image, HVX_Vector *turn);
// 128 pixels that follow each other; four vectors for every group, planar if the tile is.
void spk_hvx_pack_tile(const spk_hvx_planes *p, int32_t position, HVX_Vector *tile,
                       HVX_Vector *turn);

#endif  // __HVX__
#endif  // SPK_PLANES_HVX_H_
