// Kernels for 64-bit Arm, whose processors all have NEON. Those called neondot and neoni8mm are
// called only where spk_has_...() is true.
#ifndef SPK_KERNELS_AARCH64_KERNELS_AARCH64_H_
#define SPK_KERNELS_AARCH64_KERNELS_AARCH64_H_

#include "spk/layer.h"

int spk_has_neondot(void);   // the dot products of Armv8.2
int spk_has_neoni8mm(void);  // and the int8 matrix products of Armv8.6

// For functions that use them; the library is built for any 64-bit Arm.
#if defined(__clang__)
#define SPK_TARGET_NEONDOT  __attribute__((target("dotprod")))
#define SPK_TARGET_NEONI8MM __attribute__((target("dotprod,i8mm")))
#else
#define SPK_TARGET_NEONDOT  __attribute__((target("arch=armv8.2-a+dotprod")))
#define SPK_TARGET_NEONI8MM __attribute__((target("arch=armv8.2-a+dotprod+i8mm")))
#endif

void spk_conv2d_f32_blocks1x1__neon(const spk_args *args);
void spk_conv2d_f32_blocks2x1__neon(const spk_args *args);
void spk_conv2d_f32_blocks4x1__neon(const spk_args *args);
void spk_conv2d_f32_dense__neon(const spk_args *args);
void spk_conv2d_s8_dense__neon(const spk_args *args);
void spk_conv2d_s8_dense__neondot(const spk_args *args);
void spk_conv2d_s8_dense__neoni8mm(const spk_args *args);
void spk_conv2d_s8_blocks1x4__neondot(const spk_args *args);
void spk_conv2d_s8_pairs__neon(const spk_args *args);
void spk_conv2d_s8_quads__neondot(const spk_args *args);
void spk_fully_connected_f32_blocks8x1__neon(const spk_args *args);
void spk_fully_connected_f32_blocks16x1__neon(const spk_args *args);
void spk_fully_connected_f32_dense__neon(const spk_args *args);
void spk_fully_connected_f32_windows__neon(const spk_args *args);
void spk_fully_connected_s8_blocks16x4__neon(const spk_args *args);
void spk_fully_connected_s8_blocks16x4__neondot(const spk_args *args);
void spk_fully_connected_s8_dense__neon(const spk_args *args);
void spk_fully_connected_s8_dense__neondot(const spk_args *args);
void spk_fully_connected_s8_windows__neon(const spk_args *args);
void spk_fully_connected_s8_windows__neondot(const spk_args *args);

#endif  // SPK_KERNELS_AARCH64_KERNELS_AARCH64_H_
