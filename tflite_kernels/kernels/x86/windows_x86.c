#include "kernels/x86/windows_x86.h"

#include "kernels/x86/inputs_s8.h"

const spk_windows_shape kSpkWindowsF32Avx2 = {.lanes = 8, .width = 8, .slots = 1, .element = 4};
const spk_windows_shape kSpkWindowsF32Avx512 = {
    .lanes = 16, .width = 32, .slots = 1, .element = 4, .align = 16};
// The same where rows keep about as many of every 32 inputs: side by side.
static const spk_windows_shape kSideBySide = {
    .lanes = 16, .width = 32, .slots = 1, .element = 4, .align = 32};
const spk_windows_shape kSpkWindowsS8Avx2 = {.lanes = 8, .width = 32, .slots = 4, .element = 1};
const spk_windows_shape kSpkWindowsS8Avx512 = {
    .lanes = 16, .width = 128, .slots = 4, .element = 1, .align = 64};
const spk_windows_shape kSpkWindowsQuadsAvx2 = {
    .lanes = 8, .width = 8, .slots = 1, .element = 4, .align = 4, .quads = 1};
const spk_windows_shape kSpkWindowsQuadsAvx512 = {
    .lanes = 16, .width = 32, .slots = 1, .element = 4, .align = 16, .quads = 1};

// Columns as windows count them, or 0 where they are not whole quads.
static int32_t cols_of(const spk_layer *layer, const spk_windows_shape *shape) {
  const int32_t cols = layer->window.in_c;
  return !shape->quads ? cols : cols % 4 == 0 ? cols / 4 : 0;
}

static size_t size_of(const spk_layer *layer, const void *weights,
                      const spk_windows_shape *shape) {
  return spk_windows_pack_size(weights, layer->window.out_c, cols_of(layer, shape), shape);
}

// vpsignb cannot negate -128 and vpmaddubsw could saturate with it.
static size_t size_without_minimum(const spk_layer *layer, const void *weights,
                                   const spk_windows_shape *shape) {
  const size_t size = (size_t)layer->window.out_c * layer->window.in_c;
  return memchr(weights, 0x80, size) ? 0 : size_of(layer, weights, shape);
}

// Of the shape that takes fewer bytes.
size_t spk_windows_f32_avx512_pack_size(const spk_layer *layer, const void *weights) {
  const size_t often = size_of(layer, weights, &kSpkWindowsF32Avx512);
  const size_t seldom = size_of(layer, weights, &kSideBySide);
  return seldom < often ? seldom : often;
}

spk_status spk_windows_f32_avx512_pack(const spk_layer *layer, const void *weights,
                                       void *packed, size_t bytes) {
  const spk_window2d *w = &layer->window;
  const spk_status status =
      spk_windows_pack(weights, w->out_c, w->in_c, &kSideBySide, packed, bytes);
  if (status != SPK_ERR_SPACE) return status;
  return spk_windows_pack(weights, w->out_c, w->in_c, &kSpkWindowsF32Avx512, packed, bytes);
}

#define SPK_WINDOWS_SIZES(isa, shape)                                          \
  size_t spk_windows_##isa##_scratch(const spk_layer *layer) {                 \
    return (size_t)(shape.width + layer->window.in_c) * (size_t)shape.element; \
  }                                                                            \
  int32_t spk_windows_##isa##_units(const spk_layer *layer) {                  \
    return (layer->window.out_c - 1) / shape.lanes + 1;                        \
  }
#define SPK_WINDOWS_FUNCTIONS(isa, shape, size)                                           \
  size_t spk_windows_##isa##_pack_size(const spk_layer *layer, const void *weights) {     \
    return size(layer, weights, &shape);                                                  \
  }                                                                                       \
  spk_status spk_windows_##isa##_pack(const spk_layer *layer, const void *weights,        \
                                      void *packed, size_t bytes) {                       \
    return spk_windows_pack(weights, layer->window.out_c, cols_of(layer, &shape), &shape, \
                            packed, bytes);                                               \
  }                                                                                       \
  SPK_WINDOWS_SIZES(isa, shape)
SPK_WINDOWS_FUNCTIONS(f32_avx2, kSpkWindowsF32Avx2, size_of)
SPK_WINDOWS_SIZES(f32_avx512, kSpkWindowsF32Avx512)
SPK_WINDOWS_FUNCTIONS(s8_avx2, kSpkWindowsS8Avx2, size_without_minimum)
SPK_WINDOWS_FUNCTIONS(s8_avxvnni, kSpkWindowsS8Avx2, size_of)
SPK_WINDOWS_FUNCTIONS(s8_avx512, kSpkWindowsS8Avx512, size_of)
SPK_WINDOWS_FUNCTIONS(quads_avx2, kSpkWindowsQuadsAvx2, size_without_minimum)
SPK_WINDOWS_FUNCTIONS(quads_avxvnni, kSpkWindowsQuadsAvx2, size_of)
SPK_WINDOWS_FUNCTIONS(quads_avx512, kSpkWindowsQuadsAvx512, size_of)

size_t spk_windows_copies_scratch(const spk_layer *layer) {
  const size_t images = layer->window.batch < 4 ? 1 : 4;
  return images * spk_inputs_pitch(layer->window.in_c);
}
