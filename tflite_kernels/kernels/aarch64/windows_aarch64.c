#include "kernels/aarch64/windows_aarch64.h"

const spk_windows_shape kSpkWindowsF32Neon = {
    .lanes = 16, .width = 16, .slots = 1, .element = 4};
const spk_windows_shape kSpkWindowsS8Neon = {
    .lanes = 16, .width = 64, .slots = 4, .element = 1};

#define SPK_WINDOWS_NEON_FUNCTIONS(type, shape)                                               \
  size_t spk_windows_##type##_neon_pack_size(const spk_layer *layer, const void *weights) {   \
    return spk_windows_pack_size(weights, layer->window.out_c, layer->window.in_c, &shape);   \
  }                                                                                           \
  spk_status spk_windows_##type##_neon_pack(const spk_layer *layer, const void *weights,      \
                                            void *packed, size_t bytes) {                     \
    return spk_windows_pack(weights, layer->window.out_c, layer->window.in_c, &shape, packed, \
                            bytes);                                                           \
  }                                                                                           \
  size_t spk_windows_##type##_neon_scratch(const spk_layer *layer) {                          \
    (void)layer;                                                                              \
    return (size_t)shape.width * (size_t)shape.element;                                       \
  }                                                                                           \
  int32_t spk_windows_##type##_neon_units(const spk_layer *layer) {                           \
    return (layer->window.out_c - 1) / shape.lanes + 1;                                       \
  }
SPK_WINDOWS_NEON_FUNCTIONS(f32, kSpkWindowsF32Neon)
SPK_WINDOWS_NEON_FUNCTIONS(s8, kSpkWindowsS8Neon)
