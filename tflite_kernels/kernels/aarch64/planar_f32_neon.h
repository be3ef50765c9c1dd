// What the float32 convolutions with output pixels in the lanes share: planes (see
// kernels/planar.h, which is plain C) and blocks_f32 whose columns are offsets into them.
#ifndef SPK_KERNELS_AARCH64_PLANAR_F32_NEON_H_
#define SPK_KERNELS_AARCH64_PLANAR_F32_NEON_H_

#include "kernels/planar.h"

void spk_planar_f32_neon_pack_pixels(const void *const *pixels, int32_t count, int32_t channels,
                                     void *planes, int32_t plane);
void spk_planar_f32_neon_store(const void *tile, int32_t pixels, int32_t channels,
                               const int32_t *to, void *output);

#define SPK_PLANAR_F32_NEON_FUNCTIONS(rows)                                 \
  size_t spk_planar_f32_neon_rows##rows##_pack_size(const spk_layer *layer, \
                                                    const void *weights);   \
  spk_status spk_planar_f32_neon_rows##rows##_pack(                         \
      const spk_layer *layer, const void *weights, void *packed, size_t bytes);
SPK_PLANAR_F32_NEON_FUNCTIONS(1)
SPK_PLANAR_F32_NEON_FUNCTIONS(2)
SPK_PLANAR_F32_NEON_FUNCTIONS(4)
#undef SPK_PLANAR_F32_NEON_FUNCTIONS
size_t spk_planar_f32_neon_scratch(const spk_layer *layer);
int32_t spk_planar_f32_neon_units(const spk_layer *layer);

#endif  // SPK_KERNELS_AARCH64_PLANAR_F32_NEON_H_
