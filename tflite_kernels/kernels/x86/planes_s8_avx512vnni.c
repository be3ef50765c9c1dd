// int8 operators on planes with zmm registers and AVX512-VNNI.
#include "kernels/x86/conv2d_s8_blocks_zmm.h"
#include "kernels/x86/depthwise_ends_s8.h"
#include "kernels/x86/planes_s8.h"

// `vectors` of 16 pixels of all output channels.
INLINE void part(const spk_channels_s8 *run, spk_planes_tile from, spk_planes_tile to,
                 const int height, const int vectors) {
  const size_t stride = (size_t)to.stride * kSpkPlanesWord;
  const int32_t pixels = vectors * kSpkPlanesVector;
  if (run->away)
    fours_zmm(run, from.at, pixels, 0, run->rows, to.at, stride, height, 1, vectors, 1);
  else
    fours_zmm(run, from.at, pixels, 0, run->rows, to.at, stride, height, 0, vectors, 1);
}

// The most vectors that the registers hold at a time, then what is left.
#define ROWS(height)                                                                     \
  TARGET static void rows##height(const spk_channels_s8 *run, spk_planes_tile from,      \
                                  int32_t pixels, spk_planes_tile to) {                  \
    for (int32_t p = 0; p < pixels;) {                                                   \
      const int32_t left = (pixels - p) / kSpkPlanesVector;                              \
      const int32_t vectors = left >= 6 ? 6 : left >= 4 ? 4 : left;                      \
      const spk_planes_tile in = spk_planes_from(from, p), out = spk_planes_from(to, p); \
      if (vectors == 6)                                                                  \
        part(run, in, out, height, 6);                                                   \
      else if (vectors == 4)                                                             \
        part(run, in, out, height, 4);                                                   \
      else if (vectors == 3)                                                             \
        part(run, in, out, height, 3);                                                   \
      else if (vectors == 2)                                                             \
        part(run, in, out, height, 2);                                                   \
      else                                                                               \
        part(run, in, out, height, 1);                                                   \
      p += vectors * kSpkPlanesVector;                                                   \
    }                                                                                    \
  }
ROWS(1)
ROWS(2)
ROWS(4)

static void conv2d(const void *conv, spk_planes_tile from, int32_t pixels, spk_planes_tile to) {
  const spk_planes_conv2d_s8 *c = conv;
  (c->height == 4 ? rows4 : c->height == 2 ? rows2 : rows1)(&c->channels, from, pixels, to);
}

#undef TARGET
#undef INLINE
#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2")))
#define INLINE TARGET static inline __attribute__((always_inline))

// A column of the windows around 16 neighbouring pixels: in lane 4 k + i of v[j] there are the
// three rows of channel i at pixel 4 k + j.
typedef struct column {
  __m512i v[4];
} column;

INLINE column column_at(const uint8_t *from, size_t row) {
  const __m512i a = _mm512_loadu_si512(from), b = _mm512_loadu_si512(from + row);
  const __m512i c = _mm512_loadu_si512(from + 2 * row);
  const __m512i low = _mm512_unpacklo_epi8(a, b), high = _mm512_unpackhi_epi8(a, b);
  const __m512i low_c = _mm512_unpacklo_epi8(c, c), high_c = _mm512_unpackhi_epi8(c, c);
  return (column){{_mm512_unpacklo_epi16(low, low_c), _mm512_unpackhi_epi16(low, low_c),
                   _mm512_unpacklo_epi16(high, high_c), _mm512_unpackhi_epi16(high, high_c)}};
}

// A plane of a tile. Pixels 4 k + j + 1 are the next vector's, or the next lane of the first.
INLINE void plane_of(const uint8_t *from, size_t row, const uint8_t *ahead, int32_t pixels,
                     const __m512i *taps, const spk_channels_avx512 *ends, uint8_t *to,
                     const spk_rounding rounding) {
  const __m512i flip = _mm512_set1_epi8((char)0x80);
  column here = column_at(from, row);
  for (int32_t p = 0; p < pixels; p += kSpkPlanesVector) {
    const size_t next_at = ((size_t)p + kSpkPlanesVector) * kSpkPlanesWord;
    const column next = column_at(from + next_at, row);
    const __m512i v[6] = {here.v[0],
                          here.v[1],
                          here.v[2],
                          here.v[3],
                          _mm512_alignr_epi64(next.v[0], here.v[0], 2),
                          _mm512_alignr_epi64(next.v[1], here.v[1], 2)};
    // The next plane lies pages away, where no processor looks by itself.
    for (size_t i = 0; i < 3; ++i)
      __builtin_prefetch(ahead + i * row + (size_t)p * kSpkPlanesWord);
    __m512i sum[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      sum[j] = ends->first;
#pragma GCC unroll 3
      for (int k = 0; k < 3; ++k) sum[j] = _mm512_dpbusd_epi32(sum[j], v[j + k], taps[k]);
      sum[j] = spk_requantize_channels_avx512(sum[j], ends, rounding);
    }
    const __m512i bytes = _mm512_packs_epi16(_mm512_packs_epi32(sum[0], sum[1]),
                                             _mm512_packs_epi32(sum[2], sum[3]));
    const __m512i clamped = _mm512_min_epi8(ends->high, _mm512_max_epi8(ends->low, bytes));
    _mm512_store_si512(to + (size_t)p * kSpkPlanesWord, _mm512_xor_si512(clamped, flip));
    here = next;
  }
}

// The same with stride 2, for `pixels` of a row: their windows begin at the even pixels of two
// vectors.
INLINE void row_of(const uint8_t *from, size_t row, int32_t pixels, const __m512i *taps,
                   const spk_channels_avx512 *ends, uint8_t *to, const spk_rounding rounding) {
  const __m512i flip = _mm512_set1_epi8((char)0x80);
  const __m512i order = _mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7);
  const size_t vector = kSpkPlanesVector * kSpkPlanesWord;
  column here = column_at(from, row);
  for (int32_t p = 0; p < pixels; p += kSpkPlanesVector, from += 2 * vector, to += vector) {
    const column middle = column_at(from + vector, row);
    const column next = column_at(from + 2 * vector, row);
    const column *half[3] = {&here, &middle, &next};
    __m512i sum[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j) {
      const column *c = half[j / 2];
      const __m512i last =
          j % 2 == 0 ? c->v[2] : _mm512_alignr_epi64(half[j / 2 + 1]->v[0], c->v[0], 2);
      sum[j] = _mm512_dpbusd_epi32(ends->first, c->v[j % 2 * 2], taps[0]);
      sum[j] = _mm512_dpbusd_epi32(sum[j], c->v[j % 2 * 2 + 1], taps[1]);
      sum[j] = _mm512_dpbusd_epi32(sum[j], last, taps[2]);
      sum[j] = spk_requantize_channels_avx512(sum[j], ends, rounding);
    }
    const __m512i bytes = _mm512_packs_epi16(_mm512_packs_epi32(sum[0], sum[1]),
                                             _mm512_packs_epi32(sum[2], sum[3]));
    const __m512i clamped = _mm512_min_epi8(ends->high, _mm512_max_epi8(ends->low, bytes));
    const __m512i words = _mm512_permutexvar_epi64(order, _mm512_xor_si512(clamped, flip));
    const int32_t left = pixels - p;
    _mm512_mask_storeu_epi32(to, left < 16 ? (__mmask16)((1u << left) - 1) : 0xffff, words);
    here = next;
  }
}

// What spk_requantize_channels_avx512() needs in float32.
INLINE spk_channels_avx512 exact_ends(const spk_requant *q, const spk_planes_taps_s8 *plane) {
  return (spk_channels_avx512){
      .first = _mm512_broadcast_i32x4(_mm_loadu_si128((const void *)plane->first)),
      .scale = _mm512_broadcast_f32x4(_mm_loadu_ps(plane->scale)),
      .offset = _mm512_broadcast_f32x4(_mm_loadu_ps(plane->offset)),
      .below = _mm512_broadcast_f32x4(_mm_loadu_ps(plane->below)),
      .low = _mm512_set1_epi8((char)q->act_min),
      .high = _mm512_set1_epi8((char)q->act_max),
  };
}

INLINE void all_planes(const spk_planes_depthwise_s8 *d, spk_planes_tile from, int32_t pixels,
                       spk_planes_tile to, const int stride) {
  const spk_requant *q = d->requant;
  const size_t planes = (size_t)d->planes, row = (size_t)d->pitch * kSpkPlanesWord;
  const size_t step = (size_t)from.stride * kSpkPlanesWord;
  const spk_depthwise_ends all = spk_depthwise_ends_of(d->packed + planes, planes * 16);
  for (size_t i = 0; i < planes; ++i) {
    const spk_planes_taps_s8 *plane = &d->packed[i];
    const uint8_t *in = (const uint8_t *)from.at + i * step;
    const uint8_t *ahead = i + 1 < planes ? in + step : in;
    uint8_t *out = (uint8_t *)to.at + i * (size_t)to.stride * kSpkPlanesWord;
    __m512i taps[3];
#pragma GCC unroll 3
    for (int k = 0; k < 3; ++k)
      taps[k] = _mm512_broadcast_i32x4(_mm_loadu_si128((const void *)plane->weights[k]));
#define PLANE(rounding)                                           \
  if (stride == 1)                                                \
    plane_of(in, row, ahead, pixels, taps, &ends, out, rounding); \
  else                                                            \
    row_of(in, row, pixels, taps, &ends, out, rounding)
    if (plane->is_exact) {
      const spk_channels_avx512 ends = exact_ends(q, plane);
      if (q->act_min >= q->output_offset) {
        PLANE(SPK_ROUND_F32_RELU);
      } else {
        PLANE(SPK_ROUND_F32);
      }
    } else {
      const spk_channels_avx512 ends = spk_channels_of_avx512(q, &all, 16 * i, 128);
      PLANE(SPK_ROUND_TWICE);
    }
#undef PLANE
  }
}

TARGET static void depthwise(const void *conv, spk_planes_tile from, int32_t pixels,
                             spk_planes_tile to) {
  all_planes(conv, from, pixels, to, 1);
}

TARGET static void depthwise2(const void *conv, spk_planes_tile from, int32_t pixels,
                              spk_planes_tile to) {
  all_planes(conv, from, pixels, to, 2);
}

const spk_planes_kernels spk_planes_s8_avx512vnni = {
    .isa = "avx512vnni",
    .channels = kSpkFour,
    .pack = spk_planar_fours_s8_pack_avx512,
    .store = spk_planes_s8_store_avx512,
    .conv2d = conv2d,
    .depthwise = depthwise,
    .depthwise2 = depthwise2,
};
