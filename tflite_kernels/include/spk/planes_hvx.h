// The input of an HVX convolution as planes, so that every tap is a place in them.
//
// A plane holds 32-bit words, four channels of a pixel as unsigned bytes, for one group of four
// channels and one phase of the strides: its rows and columns are those input rows and columns,
// padding included, that lie a stride apart. Output pixel (y, x) stands at position
// y * pitch + x, and a tap reads the word at that position plus an offset of its own.
//
// A 1x1 convolution of stride 1 has no planes; its tiles are packed from the input.
#ifndef SPK_PLANES_HVX_H_
#define SPK_PLANES_HVX_H_

#include "spk/conv2d_hvx.h"

typedef struct spk_hvx_planes {
  const spk_window2d *w;
  const int8_t *input, *input_end;
  uint8_t *words;   // the planes
  uint8_t padding;  // the zero point as the planes hold it
  int32_t direct;   // 1: no planes
  int32_t groups;   // of four channels
  int32_t phases_h, phases_w;
  int32_t rows, pitch;  // of a plane
  int32_t plane;        // bytes of a plane
  int32_t batch, out_h, out_w, positions;
} spk_hvx_planes;

size_t spk_hvx_planes_bytes(const spk_window2d *w);

#if defined(__HVX__)

spk_hvx_planes spk_hvx_planes_of(const spk_window2d *w, int32_t input_offset,
                                 const int8_t *input, uint8_t *words);
void spk_hvx_fill_planes(const spk_hvx_planes *p, int32_t batch, HVX_Vector *turn);
// The tile of the 128 positions from `position` on.
void spk_hvx_fill_tile(const spk_hvx_planes *p, int32_t position, int planar, HVX_Vector *tile,
                       HVX_Vector *turn);

#endif  // __HVX__
#endif  // SPK_PLANES_HVX_H_
