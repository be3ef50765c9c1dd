// What the HVX convolutions share: tiles of 128 output pixels, and the way back to NHWC.
//
// For every four columns of the weight matrix a kernel reads 512 bytes of a tile. Interleaved,
// they are four vectors of 32 pixels with four columns each, as the kernels of whole fours want
// it; they lie behind job->base, as far as job->offsets says. Planar, they are one vector a
// column, 128 pixels in their order.
#ifndef SPK_CONV2D_HVX_H_
#define SPK_CONV2D_HVX_H_

#include "spk/requantize_s8.h"
#include "spk/types.h"

enum {
  SPK_HVX_BYTES = 128,
  SPK_HVX_PIXELS = 128,
  SPK_HVX_AHEAD = 8  // how many places behind the last a kernel may read of its own scratch
};

#if defined(__HVX__)
#include <hexagon_types.h>
// hexagon_types.h first.
#include <hexagon_protos.h>
#include <hvx_hexagon_protos.h>

struct spk_hvx_record;  // see spk/rows_hvx.h

// A layer, and the tile of it that is multiplied now.
typedef struct spk_hvx_rows {
  const uint32_t *weights;
  const int32_t *bias;
  const uint8_t *base;
  const int32_t *offsets;  // (columns / 4,), then the first two again
  int32_t in_order;        // is offsets[i] = 512 i?
  void *work;              // the kernel's own part of scratch
  HVX_Vector *sums;        // out: (rows, 128 pixels) int8, scaled; one vector before is free
  const struct spk_hvx_record *records;
  const struct spk_hvx_code *code;  // or NULL
  int32_t rows, columns;
  int32_t wide;               // is a sum shifted by more than 15 bits?
  int32_t offset, low, high;  // of the outputs, in every lane of a word
  int32_t first_multiplier;
} spk_hvx_rows;

typedef struct spk_hvx_kernel {
  int32_t planar;
  int32_t at_once;                           // rows
  const uint16_t *count;                     // (rows,): fours; NULL for dense weights
  const struct spk_hvx_code *code;           // knows biases and scales; or NULL
  void (*prepare)(const spk_hvx_rows *job);  // once a layer, before its first tile
  void (*multiply)(const spk_hvx_rows *job);
} spk_hvx_kernel;

// Can the vectors scale these sums? Left shifts and huge biases are left to plain C.
int spk_hvx_can_scale(const spk_window2d *w, const spk_requant *q, const int32_t *bias);

// Scratch of the driver, without the kernel's own; it is aligned to 128 bytes here.
void spk_hvx_conv2d(const spk_window2d *w, const spk_requant *q, const int8_t *input,
                    const uint32_t *weights, const int32_t *bias, int8_t *output, void *scratch,
                    const spk_hvx_kernel *kernel);

#endif  // __HVX__
#endif  // SPK_CONV2D_HVX_H_
