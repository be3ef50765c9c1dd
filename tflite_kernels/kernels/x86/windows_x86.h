// What the look-up kernels for FULLY_CONNECTED share.
#ifndef SPK_KERNELS_X86_WINDOWS_X86_H_
#define SPK_KERNELS_X86_WINDOWS_X86_H_

#include <string.h>

#include "formats/windows.h"
#include "spk/layer.h"

extern const spk_windows_shape kSpkWindowsF32Avx2, kSpkWindowsF32Avx512;
extern const spk_windows_shape kSpkWindowsS8Avx2, kSpkWindowsS8Avx512;
extern const spk_windows_shape kSpkWindowsQuadsAvx2, kSpkWindowsQuadsAvx512;

#define SPK_WINDOWS_FUNCTIONS(isa)                                                   \
  size_t spk_windows_##isa##_pack_size(const spk_layer *layer, const void *weights); \
  spk_status spk_windows_##isa##_pack(const spk_layer *layer, const void *weights,   \
                                      void *packed, size_t bytes);                   \
  size_t spk_windows_##isa##_scratch(const spk_layer *layer);                        \
  int32_t spk_windows_##isa##_units(const spk_layer *layer);
SPK_WINDOWS_FUNCTIONS(f32_avx2)
SPK_WINDOWS_FUNCTIONS(f32_avx512)
SPK_WINDOWS_FUNCTIONS(s8_avx2)
SPK_WINDOWS_FUNCTIONS(s8_avxvnni)
SPK_WINDOWS_FUNCTIONS(s8_avx512)
SPK_WINDOWS_FUNCTIONS(quads_avx2)
SPK_WINDOWS_FUNCTIONS(quads_avxvnni)
SPK_WINDOWS_FUNCTIONS(quads_avx512)
#undef SPK_WINDOWS_FUNCTIONS

// For the kernels whose windows are aligned: room for copies of four images.
size_t spk_windows_copies_scratch(const spk_layer *layer);

// The inputs of image `b`. A window reads `width` of them: shorter inputs, and those of aligned
// windows, which may end beyond the last, are copied to scratch and zeros put behind them.
static inline const void *spk_windows_input(const spk_args *args,
                                            const spk_windows_shape *shape, int32_t b) {
  const size_t cols = (size_t)args->layer->window.in_c, element = (size_t)shape->element;
  const uint8_t *input = (const uint8_t *)args->input + (size_t)b * cols * element;
  if (cols >= (size_t)shape->width && shape->align == 0) return input;
  memset((uint8_t *)args->scratch + cols * element, 0, (size_t)shape->width * element);
  return memcpy(args->scratch, input, cols * element);
}

// Rows of group `group` that exist.
static inline int32_t spk_windows_rows(const spk_layer *layer, const spk_windows_shape *shape,
                                       int32_t group) {
  const int32_t rest = layer->window.out_c - group * shape->lanes;
  return rest < shape->lanes ? rest : shape->lanes;
}

#endif  // SPK_KERNELS_X86_WINDOWS_X86_H_
