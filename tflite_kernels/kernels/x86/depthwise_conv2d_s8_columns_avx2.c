// Dense int8 3x3 DEPTHWISE_CONV_2D, AVX2 without VNNI, 16 channels of an output row at a time;
// see depthwise_pairs_s8.h.
#include "kernels/x86/depthwise_ends_s8.h"
#include "kernels/x86/depthwise_pairs_s8.h"
#include "kernels/x86/kernels_x86.h"

#define TARGET __attribute__((target("avx2,fma")))
#define INLINE TARGET static inline __attribute__((always_inline))

// Sixteen channels of one output row.
typedef struct output_row {
  const int8_t *input[3];  // the first pixels of the rows of the window
  size_t step[3];          // to the next pixel; 0 where a row is all padding
  int8_t *output;
  int32_t in_w, out_w, pad_left;
  size_t pixel;  // of the output
  int32_t channels;
  __m256i padding, low, high;
  const int16_t *weights;
  const spk_channels_avx2 *ends;  // of both vectors
} output_row;

// Two neighbouring columns, by vectors of eight channels.
typedef struct two_columns {
  __m256i upper[2][2];  // [column][vector]
  __m256i lower[2];     // of both
} two_columns;

INLINE __m256i load(const output_row *r, int32_t x, int row, const int is_full) {
  const int8_t *from = r->input[row] + (size_t)x * r->step[row];
  int8_t few[kSpkPart] = {0};
  if (!is_full) from = memcpy(few, from, (size_t)r->channels);
  return _mm256_cvtepi8_epi16(_mm_loadu_si128((const __m128i *)(const void *)from));
}

// The inputs of column `x` of a window's rows.
INLINE void column_at(const output_row *r, int32_t x, __m256i *rows, const int is_full) {
  const int is_padding = (uint32_t)x >= (uint32_t)r->in_w;
#pragma GCC unroll 3
  for (int row = 0; row < 3; ++row)
    rows[row] = is_padding ? r->padding : load(r, x, row, is_full);
}

INLINE two_columns columns_at(const output_row *r, int32_t x, const int is_full) {
  __m256i a[3], b[3];
  column_at(r, x, a, is_full);
  column_at(r, x + 1, b, is_full);
  return (two_columns){
      .upper = {{_mm256_unpacklo_epi16(a[0], a[1]), _mm256_unpackhi_epi16(a[0], a[1])},
                {_mm256_unpacklo_epi16(b[0], b[1]), _mm256_unpackhi_epi16(b[0], b[1])}},
      .lower = {_mm256_unpacklo_epi16(a[2], b[2]), _mm256_unpackhi_epi16(a[2], b[2])}};
}

INLINE __m256i multiply(__m256i sum, __m256i pairs, const int16_t *weights) {
  const __m256i taps = _mm256_loadu_si256((const __m256i *)(const void *)weights);
  return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, taps));
}

INLINE void store(int8_t *to, __m128i bytes, int32_t channels, const int is_full) {
  int8_t all[kSpkPart];
  if (is_full) {
    _mm_storeu_si128((__m128i *)(void *)to, bytes);
    return;
  }
  _mm_storeu_si128((__m128i *)(void *)all, bytes);
  memcpy(to, all, (size_t)channels);
}

// Output x, or with stride 1 also x + 1 if there is one, of four columns.
INLINE void outputs_at(const output_row *r, int32_t x, const two_columns *first,
                       const two_columns *second, const int stride, const int is_full) {
  const int outputs = 3 - stride;
  __m256i sum[2][2];  // [vector][output]
#pragma GCC unroll 2
  for (int g = 0; g < 2; ++g) {
    const int16_t *weights = r->weights + g * (kSpkPartWeights / 2);
    const __m256i upper[4] = {first->upper[0][g], first->upper[1][g], second->upper[0][g],
                              second->upper[1][g]};
    sum[g][0] = sum[g][1] = r->ends[g].first;
#pragma GCC unroll 2
    for (int i = 0; i < outputs; ++i) {
#pragma GCC unroll 3
      for (int k = 0; k < 3; ++k)
        sum[g][i] = multiply(sum[g][i], upper[i + k], weights + 16 * k);
      sum[g][i] = multiply(sum[g][i], first->lower[g], weights + 16 * (3 + 2 * i));
      sum[g][i] = multiply(sum[g][i], second->lower[g], weights + 16 * (4 + 2 * i));
    }
    spk_round_channels_avx2(sum[g], outputs, &r->ends[g]);
  }
  // Eight outputs of either pixel in each half.
  const __m256i pixel = _mm256_packs_epi32(sum[0][0], sum[1][0]);
  const __m256i next = outputs == 2 ? _mm256_packs_epi32(sum[0][1], sum[1][1]) : pixel;
  const __m256i both = _mm256_permute4x64_epi64(_mm256_packs_epi16(pixel, next), 0xd8);
  const __m256i bytes = _mm256_min_epi8(r->high, _mm256_max_epi8(r->low, both));
  int8_t *to = r->output + (size_t)x * r->pixel;
  store(to, _mm256_castsi256_si128(bytes), r->channels, is_full);
  if (outputs == 2 && x + 1 < r->out_w)
    store(to + r->pixel, _mm256_extracti128_si256(bytes, 1), r->channels, is_full);
}

INLINE void compute(const output_row *row, const int stride, const int is_full) {
  const output_row local = *row, *r = &local;  // no store can change it
  int32_t at = -r->pad_left;
  two_columns first = columns_at(r, at, is_full);
  for (int32_t x = 0; x < r->out_w; x += 3 - stride) {
    at += 2;
    const two_columns second = columns_at(r, at, is_full);
    outputs_at(r, x, &first, &second, stride, is_full);
    first = second;
  }
}

TARGET static void full1(const output_row *r) { compute(r, 1, 1); }
TARGET static void full2(const output_row *r) { compute(r, 2, 1); }
TARGET static void rest1(const output_row *r) { compute(r, 1, 0); }
TARGET static void rest2(const output_row *r) { compute(r, 2, 0); }

// One output row of one part, whose first input and output are given.
TARGET static void run_row(const spk_window2d *w, output_row *r, const int8_t *image,
                           const int8_t *padding, int32_t y) {
  for (int row = 0; row < 3; ++row) {
    const int32_t in_y = y * w->stride_h - w->pad_top + row * w->dilation_h;
    const int is_padding = in_y < 0 || in_y >= w->in_h;
    const size_t row_bytes = (size_t)w->in_w * (size_t)w->in_c;
    r->input[row] = is_padding ? padding : image + (size_t)in_y * row_bytes;
    r->step[row] = is_padding ? 0 : (size_t)w->in_c;
  }
  if (r->channels == kSpkPart)
    (w->stride_w == 1 ? full1 : full2)(r);
  else
    (w->stride_w == 1 ? rest1 : rest2)(r);
}

TARGET static void run_unit(const spk_args *args, const spk_pairs_shape *s, int32_t index) {
  const spk_layer *layer = args->layer;
  const spk_window2d *w = &layer->window;
  const int32_t band = index % s->bands, chunk = index / s->bands % s->chunks;
  const size_t image = (size_t)(index / s->bands / s->chunks);
  const int32_t begin = chunk * kSpkPartsTogether, rest = s->parts - begin;
  const int32_t parts = rest < kSpkPartsTogether ? rest : kSpkPartsTogether;
  const size_t in_row = (size_t)w->in_w * w->in_c, out_row = (size_t)w->out_w * w->out_c;
  const int8_t *input = (const int8_t *)args->input + image * w->in_h * in_row;
  int8_t *output = (int8_t *)args->output + image * w->out_h * out_row;
  const spk_depthwise_ends ends =
      spk_depthwise_ends_of(args->packed, (size_t)s->parts * kSpkPart);
  const int32_t zero_point = -layer->requant.input_offset;
  int8_t padding[kSpkPart];
  memset(padding, zero_point, sizeof(padding));
  spk_channels_avx2 of_vector[2 * kSpkPartsTogether];
  output_row rows[kSpkPartsTogether];
  for (int32_t p = 0; p < parts; ++p) {
    const size_t first = (size_t)(begin + p) * kSpkPart;
    const int32_t left = w->out_c - (int32_t)first;
    for (size_t g = 0; g < 2; ++g)
      of_vector[2 * p + g] = spk_channels_of_avx2(&layer->requant, &ends, first + 8 * g, 0);
    rows[p] = (output_row){
        .in_w = w->in_w,
        .out_w = w->out_w,
        .pad_left = w->pad_left,
        .pixel = (size_t)w->out_c,
        .channels = left < kSpkPart ? left : kSpkPart,
        .padding = _mm256_set1_epi16((short)zero_point),
        .low = of_vector[0].low,
        .high = of_vector[0].high,
        .weights = (const int16_t *)(const void *)((const uint8_t *)args->packed + s->weights) +
                   (size_t)(begin + p) * kSpkPartWeights,
        .ends = &of_vector[2 * p],
    };
  }
  const int32_t end = (int32_t)((int64_t)w->out_h * (band + 1) / s->bands);
  for (int32_t y = (int32_t)((int64_t)w->out_h * band / s->bands); y < end; ++y)
    for (int32_t p = 0; p < parts; ++p) {
      const size_t first = (size_t)(begin + p) * kSpkPart;
      rows[p].output = output + (size_t)y * out_row + first;
      run_row(w, &rows[p], input + first, padding, y);
    }
}

void spk_depthwise_conv2d_s8_columns__avx2(const spk_args *args) {
  const spk_pairs_shape shape = spk_pairs_shape_of(args->layer);
  for (int32_t unit = args->begin; unit < args->end; ++unit) run_unit(args, &shape, unit);
}
