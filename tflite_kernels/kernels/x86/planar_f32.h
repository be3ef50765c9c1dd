// The parts of pixel-vectorised float32 convolution that do not depend on the vector length.
#ifndef SPK_KERNELS_X86_PLANAR_F32_H_
#define SPK_KERNELS_X86_PLANAR_F32_H_

#include "kernels/planar.h"

// The channels [begin, end) of all pixels.
void spk_planar_f32_pack_channels(const void *const *pixels, int32_t count, int32_t begin,
                                  int32_t end, void *planes, int32_t plane);
void spk_planar_f32_pack_pixels(const void *const *pixels, int32_t count, int32_t channels,
                                void *planes, int32_t plane);
// The tile is (channel, pixel).
void spk_planar_f32_store(const void *tile, int32_t pixels, int32_t channels, const int32_t *to,
                          void *output);

// The same with zmm registers and whole cache lines.
void spk_planar_f32_avx512_pack_pixels(const void *const *pixels, int32_t count,
                                       int32_t channels, void *planes, int32_t plane);
void spk_planar_f32_avx512_store(const void *tile, int32_t pixels, int32_t channels,
                                 const int32_t *to, void *output);

// blocks_f32 without the blocks that would meet only zeros: the weights as they are, or a copy
// in `extra`, which has spk_f32_live_bytes(planes).
typedef struct spk_f32_planes {
  int32_t count, plane;  // elements from one plane to the next
  int32_t size;          // elements of a plane
  int32_t pixels;        // that a block meets
  int is_window;         // larger than 1x1
} spk_f32_planes;
const void *spk_f32_live(const void *packed, const spk_f32_planes *seen, const float *planes,
                         void *extra);
size_t spk_f32_live_bytes(int32_t planes);

// For spk_planar_kernel.live, and the scratch memory that it takes.
const void *spk_planar_f32_live(const spk_args *args, const spk_planar *plan,
                                const void *planes, void *extra);
size_t spk_planar_f32_live_bytes(const spk_planar *plan);

// blocks_f32 of so many rows; their columns are offsets into the planes.
#define SPK_PLANAR_F32_FUNCTIONS(rows)                                                       \
  size_t spk_planar_f32_rows##rows##_pack_size(const spk_layer *layer, const void *weights); \
  spk_status spk_planar_f32_rows##rows##_pack(const spk_layer *layer, const void *weights,   \
                                              void *packed, size_t bytes);
SPK_PLANAR_F32_FUNCTIONS(1)
SPK_PLANAR_F32_FUNCTIONS(2)
SPK_PLANAR_F32_FUNCTIONS(4)
#undef SPK_PLANAR_F32_FUNCTIONS
size_t spk_planar_f32_scratch(const spk_layer *layer);
int32_t spk_planar_f32_units(const spk_layer *layer);

#endif  // SPK_KERNELS_X86_PLANAR_F32_H_
