#include "kernels/x86/planar_f32.h"

#include <immintrin.h>

#include "formats/blocks_f32.h"

#define AVX2 __attribute__((target("avx2")))

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

#define SPK_PLANAR_F32_FUNCTIONS(rows)                                                        \
  size_t spk_planar_f32_rows##rows##_pack_size(const spk_layer *layer, const void *weights) { \
    return pack_size(layer, weights, rows);                                                   \
  }                                                                                           \
  spk_status spk_planar_f32_rows##rows##_pack(const spk_layer *layer, const void *weights,    \
                                              void *packed, size_t bytes) {                   \
    return pack(layer, weights, packed, bytes, rows);                                         \
  }
SPK_PLANAR_F32_FUNCTIONS(1)
SPK_PLANAR_F32_FUNCTIONS(2)
SPK_PLANAR_F32_FUNCTIONS(4)

size_t spk_planar_f32_scratch(const spk_layer *layer) {
  spk_planar plan;
  spk_planar_plan(layer, sizeof(float), &plan);
  return spk_planar_scratch(layer, sizeof(float)) + spk_planar_f32_live_bytes(&plan);
}

int32_t spk_planar_f32_units(const spk_layer *layer) {
  return spk_planar_units(layer, sizeof(float));
}

// r[i][j] -> r[j][i]
AVX2 static inline void transpose8(__m256 *r) {
  __m256 t[8], u[8];
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
  }
  for (int i = 0; i < 8; i += 4) {
    u[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
    u[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
    u[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    u[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
  for (int i = 0; i < 4; ++i) {
    r[i] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x20);
    r[i + 4] = _mm256_permute2f128_ps(u[i], u[i + 4], 0x31);
  }
}

AVX2 void spk_planar_f32_pack_channels(const void *const *pixels, int32_t count, int32_t begin,
                                       int32_t end, void *planes, int32_t plane) {
  float *to = planes;
  int32_t c = begin;
  for (; c + 8 <= end; c += 8) {
    for (int32_t p = 0; p < count; p += 8) {
      __m256 r[8];
      for (int i = 0; i < 8; ++i) r[i] = _mm256_loadu_ps((const float *)pixels[p + i] + c);
      transpose8(r);
      for (int i = 0; i < 8; ++i) _mm256_storeu_ps(to + (size_t)(c + i) * plane + p, r[i]);
    }
  }
  for (; c < end; ++c)
    for (int32_t p = 0; p < count; ++p)
      to[(size_t)c * plane + p] = ((const float *)pixels[p])[c];
}

void spk_planar_f32_pack_pixels(const void *const *pixels, int32_t count, int32_t channels,
                                void *planes, int32_t plane) {
  spk_planar_f32_pack_channels(pixels, count, 0, channels, planes, plane);
}

AVX2 void spk_planar_f32_store(const void *tile, int32_t pixels, int32_t channels,
                               const int32_t *to, void *output) {
  const int32_t whole = channels / 8 * 8;
  for (int32_t p = 0; p < pixels; p += 8) {
    for (int32_t c = 0; c < whole; c += 8) {
      const float *from = (const float *)tile + (size_t)c * (size_t)pixels + p;
      __m256 r[8];
      for (int i = 0; i < 8; ++i) r[i] = _mm256_load_ps(from + (size_t)i * (size_t)pixels);
      transpose8(r);
      for (int i = 0; i < 8; ++i)
        if (to[p + i] >= 0) _mm256_storeu_ps((float *)output + to[p + i] + c, r[i]);
    }
  }
  for (int32_t c = whole; c < channels; ++c)
    for (int32_t p = 0; p < pixels; ++p)
      if (to[p] >= 0)
        ((float *)output)[to[p] + c] = ((const float *)tile)[(size_t)c * (size_t)pixels + p];
}
