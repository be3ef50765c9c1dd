// CONV_2D, int8, for vector units that sum four products at once.
//
// Channels are seen four at a time: in_c is rounded up to a multiple of four, the weights are
// the matrix (out_c, kernel_h * kernel_w * rounded in_c) with zeros in the new columns. The
// units multiply unsigned by signed bytes, so the kernels read an input x as x + 128, and
// `bias[c]` must already hold bias + (input_offset - 128) * sum of the weights of channel c.
//
// rows4: dense weights, (ceil(out_c / 4), columns / 4, 4 rows, 4 columns), zeros in new rows.
// blocks, fours: the format fours_s8 without and with `spread`.
//
// Kernels that end in __hvx are for Hexagon's vector extension with vectors of 128 bytes;
// compiled for another machine they call their twins that end in __c. All give the same bytes
// for the same weights as spk_conv2d_s8_dense__ref.
#ifndef SPK_KERNELS_FOURS_S8_H_
#define SPK_KERNELS_FOURS_S8_H_

#include "spk/types.h"

#ifdef __cplusplus
extern "C" {
#endif

void spk_conv2d_s8_rows4__c(const spk_window2d *w, const spk_requant *q, const int8_t *input,
                            const uint32_t *weights, const int32_t *bias, int8_t *output,
                            void *scratch);
void spk_conv2d_s8_blocks__c(const spk_window2d *w, const spk_requant *q, const int8_t *input,
                             const uint32_t *blocks, const int32_t *bias, int8_t *output,
                             void *scratch);
void spk_conv2d_s8_fours__c(const spk_window2d *w, const spk_requant *q, const int8_t *input,
                            const uint32_t *fours, const int32_t *bias, int8_t *output,
                            void *scratch);
size_t spk_conv2d_s8_fours__c_scratch(const spk_window2d *w);  // of all three

void spk_conv2d_s8_rows4__hvx(const spk_window2d *w, const spk_requant *q, const int8_t *input,
                              const uint32_t *weights, const int32_t *bias, int8_t *output,
                              void *scratch);
void spk_conv2d_s8_blocks__hvx(const spk_window2d *w, const spk_requant *q, const int8_t *input,
                               const uint32_t *blocks, const int32_t *bias, int8_t *output,
                               void *scratch);
void spk_conv2d_s8_fours__hvx(const spk_window2d *w, const spk_requant *q, const int8_t *input,
                              const uint32_t *fours, const int32_t *bias, int8_t *output,
                              void *scratch);

// Weights that are instructions: a function that keras-prune's exporter writes. For one chunk
// of rows it multiplies 128 pixels from x on, and leaves sums without bias, (4, rows, 32
// pixels); `rows` vectors before them it overwrites.
typedef void (*spk_hvx_products)(const uint8_t *x, const uint32_t *literals, uint8_t *sums,
                                 int32_t chunk);
typedef struct spk_hvx_code {
  spk_hvx_products products;
  const uint32_t *literals;  // what it reads
  const int32_t *records;    // (out_c + 1, 4): multiplier, bias, shift of the row before, 0
  int32_t chunks, chunk_rows;
  int32_t wide;  // is a sum shifted by more than 15 bits? (see spk/rows_hvx.h)
} spk_hvx_code;
// For HVX only. Of `q` it reads the offsets and the range.
void spk_conv2d_s8_code__hvx(const spk_window2d *w, const spk_requant *q, const int8_t *input,
                             const spk_hvx_code *code, int8_t *output, void *scratch);

// Of all of them; for code, `indices` are the words of five chunks and of a vector. `indices`
// counts those of the weights, and is 0 for rows4.
SPK_API size_t spk_conv2d_s8_fours__hvx_scratch(const spk_window2d *w, int32_t indices);

#ifdef __cplusplus
}
#endif
#endif  // SPK_KERNELS_FOURS_S8_H_
