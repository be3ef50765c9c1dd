#include "kernels/aarch64/planar_f32_neon.h"

#include <arm_neon.h>

#include "formats/blocks_f32.h"

static size_t pack_size(const spk_layer *layer, const void *weights, int32_t rows) {
  spk_planar plan;
  if (spk_planar_plan(layer, sizeof(float), &plan) != SPK_OK) return 0;
  return spk_blocks_f32_pack_size(weights, layer->window.out_c, spk_layer_cols(layer), rows);
}

static spk_status pack(const spk_layer *layer, const void *weights, void *packed, size_t bytes,
                       int32_t rows) {
  spk_planar plan;
  spk_status status = spk_planar_plan(layer, sizeof(float), &plan);
  if (status == SPK_OK)
    status = spk_blocks_f32_pack(weights, layer->window.out_c, spk_layer_cols(layer), rows,
                                 packed, bytes);
  if (status != SPK_OK) return status;
  const spk_blocks_f32_view blocks = spk_blocks_f32_view_of(packed);
  uint32_t *column = (uint32_t *)blocks.column;
  for (uint32_t b = 0; b < blocks.first[blocks.groups]; ++b)
    column[b] = spk_planar_offset(&plan, column[b]);
  return SPK_OK;
}

#define SPK_PLANAR_F32_NEON_FUNCTIONS(rows)                                      \
  size_t spk_planar_f32_neon_rows##rows##_pack_size(const spk_layer *layer,      \
                                                    const void *weights) {       \
    return pack_size(layer, weights, rows);                                      \
  }                                                                              \
  spk_status spk_planar_f32_neon_rows##rows##_pack(                              \
      const spk_layer *layer, const void *weights, void *packed, size_t bytes) { \
    return pack(layer, weights, packed, bytes, rows);                            \
  }
SPK_PLANAR_F32_NEON_FUNCTIONS(1)
SPK_PLANAR_F32_NEON_FUNCTIONS(2)
SPK_PLANAR_F32_NEON_FUNCTIONS(4)

size_t spk_planar_f32_neon_scratch(const spk_layer *layer) {
  return spk_planar_scratch(layer, sizeof(float));
}

int32_t spk_planar_f32_neon_units(const spk_layer *layer) {
  return spk_planar_units(layer, sizeof(float));
}

// r[i][j] -> r[j][i]
static inline void transpose4(float32x4_t *r0, float32x4_t *r1, float32x4_t *r2,
                              float32x4_t *r3) {
  const float64x2_t a = vreinterpretq_f64_f32(vtrn1q_f32(*r0, *r1));
  const float64x2_t b = vreinterpretq_f64_f32(vtrn2q_f32(*r0, *r1));
  const float64x2_t c = vreinterpretq_f64_f32(vtrn1q_f32(*r2, *r3));
  const float64x2_t d = vreinterpretq_f64_f32(vtrn2q_f32(*r2, *r3));
  *r0 = vreinterpretq_f32_f64(vtrn1q_f64(a, c));
  *r1 = vreinterpretq_f32_f64(vtrn1q_f64(b, d));
  *r2 = vreinterpretq_f32_f64(vtrn2q_f64(a, c));
  *r3 = vreinterpretq_f32_f64(vtrn2q_f64(b, d));
}

// Eight rows of eight: left[i], right[i] are the halves of row i; the 4x4 corners off the
// diagonal change places by name.
static inline void transpose8(float32x4_t *left, float32x4_t *right) {
  for (int i = 0; i < 8; i += 4) {
    transpose4(left + i, left + i + 1, left + i + 2, left + i + 3);
    transpose4(right + i, right + i + 1, right + i + 2, right + i + 3);
  }
  for (int i = 0; i < 4; ++i) {
    const float32x4_t corner = right[i];
    right[i] = left[i + 4];
    left[i + 4] = corner;
  }
}

void spk_planar_f32_neon_pack_pixels(const void *const *pixels, int32_t count, int32_t channels,
                                     void *planes, int32_t plane) {
  for (int32_t p = 0; p < count; p += 8) {
    const float *from[8];
    for (int i = 0; i < 8; ++i) from[i] = pixels[p + i];
    float *to = (float *)planes + p;
    int32_t c = 0;
    for (; c + 8 <= channels; c += 8) {
      float32x4_t left[8], right[8];
      for (int i = 0; i < 8; ++i) {
        left[i] = vld1q_f32(from[i] + c);
        right[i] = vld1q_f32(from[i] + c + 4);
      }
      transpose8(left, right);
      for (int i = 0; i < 8; ++i, to += plane) {
        vst1q_f32(to, left[i]);
        vst1q_f32(to + 4, right[i]);
      }
    }
    for (; c < channels; ++c, to += plane)
      for (int i = 0; i < 8; ++i) to[i] = from[i][c];
  }
}

void spk_planar_f32_neon_store(const void *tile, int32_t pixels, int32_t channels,
                               const int32_t *to, void *output) {
  int32_t c = 0;
  for (; c + 8 <= channels; c += 8) {
    const float *from = (const float *)tile + (size_t)c * kSpkMaxTile;
    float *out = (float *)output + c;
    for (int32_t p = 0; p < pixels; p += 8) {
      float32x4_t left[8], right[8];
      for (int i = 0; i < 8; ++i) {
        left[i] = vld1q_f32(from + i * kSpkMaxTile + p);
        right[i] = vld1q_f32(from + i * kSpkMaxTile + p + 4);
      }
      transpose8(left, right);
      for (int i = 0; i < 8; ++i) {
        if (to[p + i] < 0) continue;
        vst1q_f32(out + to[p + i], left[i]);
        vst1q_f32(out + to[p + i] + 4, right[i]);
      }
    }
  }
  for (; c < channels; ++c)
    for (int32_t p = 0; p < pixels; ++p)
      if (to[p] >= 0)
        ((float *)output)[to[p] + c] = ((const float *)tile)[(size_t)c * kSpkMaxTile + p];
}
