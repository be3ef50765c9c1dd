// What the look-up kernels for FULLY_CONNECTED share: sixteen rows, windows that a table of
// four or eight vectors holds.
#ifndef SPK_KERNELS_AARCH64_WINDOWS_AARCH64_H_
#define SPK_KERNELS_AARCH64_WINDOWS_AARCH64_H_

#include <string.h>

#include "formats/windows.h"
#include "spk/layer.h"

extern const spk_windows_shape kSpkWindowsF32Neon, kSpkWindowsS8Neon;

#define SPK_WINDOWS_NEON_FUNCTIONS(type)                                                   \
  size_t spk_windows_##type##_neon_pack_size(const spk_layer *layer, const void *weights); \
  spk_status spk_windows_##type##_neon_pack(const spk_layer *layer, const void *weights,   \
                                            void *packed, size_t bytes);                   \
  size_t spk_windows_##type##_neon_scratch(const spk_layer *layer);                        \
  int32_t spk_windows_##type##_neon_units(const spk_layer *layer);
SPK_WINDOWS_NEON_FUNCTIONS(f32)
SPK_WINDOWS_NEON_FUNCTIONS(s8)
#undef SPK_WINDOWS_NEON_FUNCTIONS

// The inputs of image `b`. A window reads `width` of them: shorter inputs are copied to scratch
// and filled up with zeros.
static inline const void *spk_windows_neon_input(const spk_args *args,
                                                 const spk_windows_shape *shape, int32_t b) {
  const size_t cols = (size_t)args->layer->window.in_c, element = (size_t)shape->element;
  const uint8_t *input = (const uint8_t *)args->input + (size_t)b * cols * element;
  if (cols >= (size_t)shape->width) return input;
  memset(args->scratch, 0, (size_t)shape->width * element);
  return memcpy(args->scratch, input, cols * element);
}

#endif  // SPK_KERNELS_AARCH64_WINDOWS_AARCH64_H_
