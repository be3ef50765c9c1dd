// x86-64 kernels; each is called only where its spk_has_...() is true.
#ifndef SPK_KERNELS_X86_KERNELS_X86_H_
#define SPK_KERNELS_X86_KERNELS_X86_H_

#include "spk/layer.h"

SPK_API int spk_has_avx2(void);        // and FMA
SPK_API int spk_has_avxvnni(void);     // and AVX2
SPK_API int spk_has_avx512(void);      // F
SPK_API int spk_has_avx512vnni(void);  // F, BW, VL, VNNI
SPK_API int spk_has_avx512vbmi(void);  // all that, and VBMI

// For tests and benchmarks: from now on this is a machine with "avx2", "avxvnni" or "avx512"
// (and AVX2), "avx512vnni" (and all of these), with none of them ("c"), or again what it is
// (""). Returns 0 for other names. What it does not have it does not get.
SPK_API int spk_use_isa(const char *isa);

// Of the first-level data cache.
int32_t spk_first_cache_bytes(void);

void spk_conv2d_f32_blocks1x1__avx2(const spk_args *args);
void spk_conv2d_f32_blocks1x1__avx512(const spk_args *args);
void spk_conv2d_f32_blocks2x1__avx2(const spk_args *args);
void spk_conv2d_f32_blocks2x1__avx512(const spk_args *args);
void spk_conv2d_f32_blocks4x1__avx2(const spk_args *args);
void spk_conv2d_f32_blocks4x1__avx512(const spk_args *args);
void spk_conv2d_f32_lanes1x1__avx2(const spk_args *args);
void spk_conv2d_f32_lanes1x1__avx512(const spk_args *args);
void spk_conv2d_f32_lanes2x1__avx2(const spk_args *args);
void spk_conv2d_f32_lanes2x1__avx512(const spk_args *args);
void spk_conv2d_s8_blocks1x4__avx2(const spk_args *args);
void spk_conv2d_s8_blocks2x4__avx2(const spk_args *args);
void spk_conv2d_s8_blocks4x4__avx2(const spk_args *args);
void spk_conv2d_s8_blocks1x4__avxvnni(const spk_args *args);
void spk_conv2d_s8_blocks2x4__avxvnni(const spk_args *args);
void spk_conv2d_s8_blocks4x4__avxvnni(const spk_args *args);
void spk_conv2d_s8_blocks1x4__avx512vnni(const spk_args *args);
void spk_conv2d_s8_blocks2x4__avx512vnni(const spk_args *args);
void spk_conv2d_s8_blocks4x4__avx512vnni(const spk_args *args);
void spk_conv2d_s8_pairs__avx2(const spk_args *args);
void spk_conv2d_s8_quads__avxvnni(const spk_args *args);
void spk_conv2d_s8_quads__avx512vnni(const spk_args *args);
void spk_depthwise_conv2d_s8_dense__avx2(const spk_args *args);
void spk_depthwise_conv2d_s8_dense__avxvnni(const spk_args *args);
void spk_depthwise_conv2d_s8_dense__avx512vbmi(const spk_args *args);
void spk_depthwise_conv2d_s8_columns__avx2(const spk_args *args);
void spk_depthwise_conv2d_s8_columns__avx512vnni(const spk_args *args);
void spk_fully_connected_f32_blocks8x1__avx2(const spk_args *args);
void spk_fully_connected_f32_blocks16x1__avx2(const spk_args *args);
void spk_fully_connected_f32_blocks16x1__avx512(const spk_args *args);
void spk_fully_connected_f32_windows__avx2(const spk_args *args);
void spk_fully_connected_f32_windows__avx512(const spk_args *args);
void spk_fully_connected_s8_blocks8x4__avx2(const spk_args *args);
void spk_fully_connected_s8_blocks8x4__avxvnni(const spk_args *args);
void spk_fully_connected_s8_blocks16x4__avx512vnni(const spk_args *args);
void spk_fully_connected_s8_quads__avx2(const spk_args *args);
void spk_fully_connected_s8_quads__avxvnni(const spk_args *args);
void spk_fully_connected_s8_quads__avx512vnni(const spk_args *args);
void spk_fully_connected_s8_windows__avx2(const spk_args *args);
void spk_fully_connected_s8_windows__avxvnni(const spk_args *args);
void spk_fully_connected_s8_windows__avx512vbmi(const spk_args *args);

#endif  // SPK_KERNELS_X86_KERNELS_X86_H_
