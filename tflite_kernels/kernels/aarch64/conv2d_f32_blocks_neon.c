// Sparse float32 CONV_2D, output pixels in the lanes.
//
// One block is `rows` output channels that share an input. It meets `vectors` vectors of
// pixels, which are loaded once for all rows; the weights of two blocks come in one vector or
// two, and are taken by lane.
#include <arm_neon.h>
#include <string.h>

#include "formats/blocks_f32.h"
#include "kernels/aarch64/kernels_aarch64.h"
#include "kernels/aarch64/planar_f32_neon.h"

#define INLINE static inline __attribute__((always_inline))

// sum[v] += x[v] * weights[lane]
INLINE void add_row(const float32x4_t *x, float32x4_t weights, int lane, float32x4_t *sum,
                    const int vectors) {
#pragma GCC unroll 16
  for (int v = 0; v < vectors; ++v) {
    switch (lane) {
      case 0:
        sum[v] = vfmaq_laneq_f32(sum[v], x[v], weights, 0);
        break;
      case 1:
        sum[v] = vfmaq_laneq_f32(sum[v], x[v], weights, 1);
        break;
      case 2:
        sum[v] = vfmaq_laneq_f32(sum[v], x[v], weights, 2);
        break;
      default:
        sum[v] = vfmaq_laneq_f32(sum[v], x[v], weights, 3);
    }
  }
}

// The block whose weights start at `lane`.
INLINE void add_block(const float *from, float32x4_t weights, const int lane, float32x4_t *sum,
                      const int rows, const int vectors) {
#pragma GCC unroll 4
  for (int part = 0; part < vectors; part += 8) {  // at most eight vectors of inputs at a time
    const int some = vectors - part < 8 ? vectors - part : 8;
    float32x4_t x[8];
#pragma GCC unroll 8
    for (int v = 0; v < some; ++v) x[v] = vld1q_f32(from + 4 * (part + v));
#pragma GCC unroll 4
    for (int r = 0; r < rows; ++r)
      add_row(x, weights, lane + r, sum + r * vectors + part, some);
  }
}

INLINE float32x4_t load_weights(const float *weights, const int rows) {
  if (rows == 4) return vld1q_f32(weights);
  if (rows == 2) return vcombine_f32(vld1_f32(weights), vdup_n_f32(0));
  return vdupq_n_f32(weights[0]);
}

INLINE void group(const uint32_t *offset, const float *weights, uint32_t count,
                  const float *planes, const float *bias, float low, float high, float *to,
                  const int rows, const int vectors) {
  float32x4_t sum[16];
#pragma GCC unroll 16
  for (int i = 0; i < rows * vectors; ++i) sum[i] = vdupq_n_f32(bias ? bias[i / vectors] : 0);
  const int together = 4 / rows;  // blocks whose weights fill a vector
  for (; count >= 4; count -= 4, offset += 4, weights += 4 * rows) {
#pragma GCC unroll 4
    for (int b = 0; b < 4; ++b)
      add_block(planes + offset[b], vld1q_f32(weights + b / together * 4), b % together * rows,
                sum, rows, vectors);
  }
  for (; count > 0; --count, ++offset, weights += rows)
    add_block(planes + *offset, load_weights(weights, rows), 0, sum, rows, vectors);
  const int is_open = high == __builtin_inff();
#pragma GCC unroll 16
  for (int i = 0; i < rows * vectors; ++i) {
    float32x4_t result = vmaxq_f32(sum[i], vdupq_n_f32(low));  // NaN stays NaN
    if (!is_open) result = vminq_f32(result, vdupq_n_f32(high));
    vst1q_f32(to + (i / vectors) * kSpkMaxTile + i % vectors * 4, result);
  }
}

// The channels [begin, end), which are whole groups except at the end of the layer: there the
// rows of a group that do not exist have weights 0, and a bias of 0 in a copy.
INLINE void channels(const spk_args *args, const float *planes, int32_t begin, int32_t end,
                     float *tile, const int rows, const int vectors) {
  const spk_layer *layer = args->layer;
  const spk_blocks_f32_view blocks = spk_blocks_f32_view_of(args->packed);
  for (int32_t o = begin; o < end; o += rows) {
    const float *bias = layer->bias ? (const float *)layer->bias + o : NULL;
    float few[4] = {0};
    if (bias && o + rows > end) bias = memcpy(few, bias, (size_t)(end - o) * sizeof(float));
    const uint32_t first = blocks.first[o / rows], count = blocks.first[o / rows + 1] - first;
    group(blocks.column + first, blocks.weights + (size_t)first * (size_t)rows, count, planes,
          bias, layer->act_min, layer->act_max, tile + (size_t)(o - begin) * kSpkMaxTile, rows,
          vectors);
  }
}

// Tiles have 16, 8, 4 or 2 vectors of pixels, as far as the sums fit into the registers.
#define COMPUTE(rows, most)                                                           \
  static void compute##rows(const spk_args *args, const void *planes, int32_t pixels, \
                            int32_t begin, int32_t end, void *tile) {                 \
    if (most == 16 && pixels == 64)                                                   \
      channels(args, planes, begin, end, tile, rows, most);                           \
    else if (most >= 8 && pixels == 32)                                               \
      channels(args, planes, begin, end, tile, rows, most < 8 ? most : 8);            \
    else if (pixels == 16)                                                            \
      channels(args, planes, begin, end, tile, rows, 4);                              \
    else                                                                              \
      channels(args, planes, begin, end, tile, rows, 2);                              \
  }
COMPUTE(1, 16)
COMPUTE(2, 8)
COMPUTE(4, 4)

#define KERNEL(rows, ...)                                            \
  void spk_conv2d_f32_blocks##rows##x1__neon(const spk_args *args) { \
    static const spk_planar_kernel kernel = {                        \
        .element = sizeof(float),                                    \
        .tiles = {__VA_ARGS__, 0},                                   \
        .pack = spk_planar_f32_neon_pack_pixels,                     \
        .compute = compute##rows,                                    \
        .store = spk_planar_f32_neon_store,                          \
    };                                                               \
    spk_planar_run(args, &kernel);                                   \
  }
KERNEL(1, 64, 32, 16, 8)
KERNEL(2, 32, 16, 8)
KERNEL(4, 16, 8)
