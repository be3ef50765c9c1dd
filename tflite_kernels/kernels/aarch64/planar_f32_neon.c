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
  const float32x4_t a = vtrn1q_f32(*r0, *r1), b = vtrn2q_f32(*r0, *r1);
  const float32x4_t c = vtrn1q_f32(*r2, *r3), d = vtrn2q_f32(*r2, *r3);
  const float64x2_t e = vreinterpretq_f64_f32(a), f = vreinterpretq_f64_f32(b);
  const float64x2_t g = vreinterpretq_f64_f32(c), h = vreinterpretq_f64_f32(d);
  *r2 = vreinterpretq_f32_f64(vzip2q_f64(e, g));
  *r3 = vreinterpretq_f32_f64(vzip2q_f64(f, h));
  *r0 = vreinterpretq_f32_f64(vzip1q_f64(e, g));
  *r1 = vreinterpretq_f32_f64(vzip1q_f64(f, h));
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

// Eight pixels, channels in eights; returns how many channels are done.
static int32_t pack_eights(const void *const *pixels, int32_t channels, float *to,
                           ptrdiff_t plane) {
  const float *from[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) from[i] = pixels[i];
  int32_t rest = channels;
  for (; rest >= 8; rest -= 8) {
    float32x4_t left[8], right[8];
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i, from[i - 1] += 8) {
      left[i] = vld1q_f32(from[i]);
      right[i] = vld1q_f32(from[i] + 4);
    }
    transpose8(left, right);
#pragma GCC unroll 8
    for (int i = 0; i < 8; ++i, to += plane) {
      vst1q_f32(to, left[i]);
      vst1q_f32(to + 4, right[i]);
    }
  }
  return channels - rest;
}

void spk_planar_f32_neon_pack_pixels(const void *const *pixels, int32_t count, int32_t channels,
                                     void *planes, int32_t plane) {
  for (int32_t p = 0; p < count; p += 8) {
    float *to = (float *)planes + p;
    for (int32_t c = pack_eights(pixels + p, channels, to, plane); c < channels; ++c)
      for (int i = 0; i < 8; ++i)
        to[(size_t)c * (size_t)plane + (size_t)i] = ((const float *)pixels[p + i])[c];
  }
}

// Eight channels of eight pixels.
static inline void store_eight(const float *from, const int32_t *to, float *output) {
  float32x4_t left[8], right[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    left[i] = vld1q_f32(from + i * kSpkMaxTile);
    right[i] = vld1q_f32(from + i * kSpkMaxTile + 4);
  }
  transpose8(left, right);
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    const int32_t at = to[i];
    if (at < 0) continue;
    vst1q_f32(output + at, left[i]);
    vst1q_f32(output + at + 4, right[i]);
  }
}

void spk_planar_f32_neon_store(const void *tile, int32_t pixels, int32_t channels,
                               const int32_t *to, void *output) {
  const float *from = tile;
  float *out = output;
  int32_t c = 0;
  for (; c + 8 <= channels; c += 8)
    for (int32_t p = 0; p < pixels; p += 8)
      store_eight(from + (size_t)c * kSpkMaxTile + p, to + p, out + c);
  for (; c < channels; ++c)
    for (int32_t p = 0; p < pixels; ++p)
      if (to[p] >= 0) out[to[p] + c] = from[(size_t)c * kSpkMaxTile + p];
}
