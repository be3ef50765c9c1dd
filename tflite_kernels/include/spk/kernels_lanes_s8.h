// CONV_2D and FULLY_CONNECTED, int8, for Arm's vector extension MVE (Helium), as in a
// Cortex-M55. Compiled without it, the same functions give the same bytes in plain C.
//
// Weights are packed as lanes_s8 (see spk/lanes_s8.h): `bytes` kernels take block 1, `words`
// kernels block 4; for a convolution in words, in_c is a multiple of 4. The input offset is
// left to `bias`, which is not NULL: offset * sum w is part of it. Scratch is aligned to 4.
#ifndef SPK_KERNELS_LANES_S8_H_
#define SPK_KERNELS_LANES_S8_H_

#include "spk/types.h"

#ifdef __cplusplus
extern "C" {
#endif

void spk_conv2d_s8_bytes__mve(const spk_window2d *w, const spk_requant *q, const int8_t *input,
                              const uint8_t *lanes, const int32_t *bias, int8_t *output,
                              void *scratch);
void spk_conv2d_s8_words__mve(const spk_window2d *w, const spk_requant *q, const int8_t *input,
                              const uint8_t *lanes, const int32_t *bias, int8_t *output,
                              void *scratch);
size_t spk_conv2d_s8_lanes__mve_scratch(const spk_window2d *w);  // of both

// Over eights_s8 (see spk/eights_s8.h).
void spk_fully_connected_s8_bytes__mve(int32_t batch, int32_t rows, int32_t cols,
                                       const spk_requant *q, const int8_t *input,
                                       const uint8_t *eights, const int32_t *bias,
                                       int8_t *output, void *scratch);
void spk_fully_connected_s8_words__mve(int32_t batch, int32_t rows, int32_t cols,
                                       const spk_requant *q, const int8_t *input,
                                       const uint8_t *eights, const int32_t *bias,
                                       int8_t *output, void *scratch);
size_t spk_fully_connected_s8_eights__mve_scratch(int32_t rows);  // of both

// Dense rows as kernels/armv81m/fully_connected_s8_dense.c describes them.
void spk_fully_connected_s8_dense__mve(int32_t batch, int32_t rows, int32_t cols,
                                       const spk_requant *q, const int8_t *input,
                                       const uint8_t *eights, const int32_t *bias,
                                       int8_t *output, void *scratch);
size_t spk_fully_connected_s8_dense__mve_scratch(int32_t rows, int32_t cols);

// Weights as they are, out_c at least 2; the input offset is left to `bias` here too.
void spk_conv2d_s8_dense__mve(const spk_window2d *w, const spk_requant *q, const int8_t *input,
                              const int8_t *weights, const int32_t *bias, int8_t *output,
                              void *scratch);
size_t spk_conv2d_s8_dense__mve_scratch(const spk_window2d *w);

// As many inputs as outputs, no weight -128; they are packed as
// kernels/armv81m/depthwise_conv2d_s8_dense.c describes, and the input offset is left to
// `bias`. Scratch is aligned to a pointer.
void spk_depthwise_conv2d_s8_dense__mve(const spk_window2d *w, const spk_requant *q,
                                        const int8_t *input, const int8_t *sixteens,
                                        const int32_t *bias, int8_t *output, void *scratch);
size_t spk_depthwise_conv2d_s8_dense__mve_scratch(const spk_window2d *w);

#ifdef __cplusplus
}
#endif
#endif  // SPK_KERNELS_LANES_S8_H_
