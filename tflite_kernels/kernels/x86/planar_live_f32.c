// Dead channels: planes of a band that are all zero, as a ReLU often leaves them, need no
// multiplications. When enough are dead, their blocks are left out of a copy of the weights.
#include <immintrin.h>
#include <string.h>

#include "formats/blocks_f32.h"
#include "kernels/x86/planar_f32.h"

// What the copy may take of the scratch memory; larger weights are used as they are.
enum { kMostBytes = 512 * 1024 };
// Copying a block pays when it spares the multiplications with so many pixels; those of windows
// larger than 1x1 are read unaligned, and take longer.
enum { kWindowPixels = 48, kPointwisePixels = 96 };
enum { kProbe = 16 };

static size_t flag_bytes(int32_t planes) { return ((size_t)planes + 63) & ~(size_t)63; }

size_t spk_f32_live_bytes(int32_t planes) { return flag_bytes(planes) + kMostBytes; }

// Without the sign: -0 is a zero.
__attribute__((target("avx2"))) static int is_zero(const float *values, int32_t count) {
  __m256i any = _mm256_setzero_si256();
  uint32_t rest = 0;
  int32_t i = 0;
  for (; i + 8 <= count; i += 8)
    any = _mm256_or_si256(any, _mm256_castps_si256(_mm256_loadu_ps(values + i)));
  for (; i < count; ++i) {
    uint32_t bits;
    memcpy(&bits, values + i, sizeof(bits));
    rest |= bits << 1;
  }
  any = _mm256_slli_epi32(any, 1);
  return rest == 0 && _mm256_testz_si256(any, any);
}

// Marks the planes with something in them; returns how many have nothing. A look at a few
// pixels in the middle tells most of them, and after that whether a closer look can pay.
static int32_t find_live(const spk_f32_planes *seen, const float *planes, int32_t least_dead,
                         uint8_t *live) {
  const int32_t count = seen->count, size = seen->size;
  const int32_t probe = size < kProbe ? size : kProbe, middle = (size - probe) / 2;
  int32_t dead = 0;
  for (int32_t i = 0; i < count; ++i) {
    live[i] = !is_zero(planes + (size_t)i * (size_t)seen->plane + middle, probe);
    dead += !live[i];
  }
  for (int32_t i = 0; i < count && dead >= least_dead; ++i) {
    if (live[i]) continue;
    const float *plane = planes + (size_t)i * (size_t)seen->plane;
    for (int32_t first = 0; first < size && !live[i]; first += 4 * kProbe) {
      const int32_t rest = size - first;
      live[i] = !is_zero(plane + first, rest < 4 * kProbe ? rest : 4 * kProbe);
    }
    dead -= live[i];
  }
  return dead;
}

// Copies the blocks of a group whose planes are live; returns their number.
static inline __attribute__((always_inline)) uint32_t
copy_group(const spk_blocks_f32_view *from, int32_t group, const uint8_t *live,
           double per_plane, uint32_t *column, float *weights, const size_t height) {
  uint32_t count = 0;
  for (uint32_t b = from->first[group]; b < from->first[group + 1]; ++b) {
    const uint32_t offset = from->column[b];
    column[count] = offset;
    memcpy(weights + count * height, from->weights + b * height, height * sizeof(float));
    count += live[(int32_t)((offset + 0.5) * per_plane)];  // cheaper than a division, and exact
  }
  return count;
}

// The copy has the layout of all blocks, so that its parts lie where their header says.
static void copy_live(const spk_blocks_f32_header *header, const uint8_t *live, int32_t plane,
                      void *to) {
  const spk_blocks_f32_view from = spk_blocks_f32_view_of(header);
  const spk_blocks_f32_layout at = spk_blocks_f32_layout_of(header);
  uint32_t *first = (uint32_t *)(void *)((uint8_t *)to + at.first);
  uint32_t *column = (uint32_t *)(void *)((uint8_t *)to + at.column);
  float *weights = (float *)(void *)((uint8_t *)to + at.weights);
  const double per_plane = 1.0 / plane;
  memcpy(to, header, sizeof(*header));
  uint32_t count = 0;
  for (int32_t g = 0; g < header->groups; ++g) {
    const size_t height = (size_t)header->height;
    first[g] = count;
    uint32_t *columns = column + count;
    float *blocks = weights + count * height;
    if (height == 4)
      count += copy_group(&from, g, live, per_plane, columns, blocks, 4);
    else if (height == 2)
      count += copy_group(&from, g, live, per_plane, columns, blocks, 2);
    else
      count += copy_group(&from, g, live, per_plane, columns, blocks, height);
  }
  first[header->groups] = count;
}

const void *spk_f32_live(const void *packed, const spk_f32_planes *seen, const float *planes,
                         void *extra) {
  const spk_blocks_f32_header *header = packed;
  const int64_t count = seen->count;
  const int32_t worth = seen->is_window ? kWindowPixels : kPointwisePixels;
  const int64_t least_dead = count * worth / seen->pixels + 1;
  if (spk_blocks_f32_layout_of(header).total > kMostBytes || least_dead > count) return packed;
  uint8_t *live = extra;
  if (find_live(seen, planes, (int32_t)least_dead, live) < least_dead) return packed;
  void *copy = live + flag_bytes((int32_t)count);
  copy_live(header, live, seen->plane, copy);
  return copy;
}

static spk_f32_planes planes_of(const spk_planar *plan) {
  return (spk_f32_planes){.count = plan->window.in_c * plan->phases_h * plan->phases_w,
                          .plane = plan->plane,
                          .size = plan->plane_rows * plan->pitch,
                          .pixels = plan->rows * plan->pitch,
                          .is_window = plan->pitch > 1};
}

size_t spk_planar_f32_live_bytes(const spk_planar *plan) {
  return spk_f32_live_bytes(planes_of(plan).count);
}

const void *spk_planar_f32_live(const spk_args *args, const spk_planar *plan,
                                const void *planes, void *extra) {
  const spk_f32_planes seen = planes_of(plan);
  return spk_f32_live(args->packed, &seen, planes, extra);
}
