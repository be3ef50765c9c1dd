// Dense int8 3x3 DEPTHWISE_CONV_2D, 64 channels of an output at a time; see
// depthwise_columns_s8.h.
#include "kernels/x86/depthwise_columns_s8.h"
#include "kernels/x86/depthwise_ends_s8.h"
#include "kernels/x86/kernels_x86.h"

#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2")))
#define INLINE TARGET static inline __attribute__((always_inline))

// One output row of a chunk, or two of a narrow one, in the halves of a vector.
typedef struct output_rows {
  const int8_t *input[2][3];  // the first pixels of the rows of the window
  size_t step[2][3];          // to the next pixel; 0 where a row is all padding
  int8_t *output[2];          // the second may be NULL
  int32_t in_w, out_w, pad_left;
  size_t pixel;  // of the output
  __mmask64 exist;
  __m512i padding, low, high;
  const int8_t *weights;
  const spk_channels_avx512 *ends;
} output_rows;

typedef struct column {
  __m512i v[4];
} column;

INLINE __m512i load(const output_rows *r, int32_t x, int row, const int is_narrow) {
  const int8_t *from = r->input[0][row] + (size_t)x * r->step[0][row];
  const __m512i first = _mm512_maskz_loadu_epi8(r->exist, from);
  if (!is_narrow) return first;
  const int8_t *below = r->input[1][row] + (size_t)x * r->step[1][row];
  return _mm512_inserti64x4(first, _mm256_maskz_loadu_epi8((__mmask32)r->exist, below), 1);
}

// x + 128, as vpdpbusd wants it.
INLINE column column_at(const output_rows *r, int32_t x, const int is_narrow) {
  if ((uint32_t)x >= (uint32_t)r->in_w)
    return (column){{r->padding, r->padding, r->padding, r->padding}};
  const __m512i flip = _mm512_set1_epi8((char)0x80);
  const __m512i a = _mm512_xor_si512(load(r, x, 0, is_narrow), flip);
  const __m512i b = _mm512_xor_si512(load(r, x, 1, is_narrow), flip);
  const __m512i c = _mm512_xor_si512(load(r, x, 2, is_narrow), flip);
  const __m512i low = _mm512_unpacklo_epi8(a, b), high = _mm512_unpackhi_epi8(a, b);
  const __m512i low_c = _mm512_unpacklo_epi8(c, c), high_c = _mm512_unpackhi_epi8(c, c);
  return (column){{_mm512_unpacklo_epi16(low, low_c), _mm512_unpackhi_epi16(low, low_c),
                   _mm512_unpacklo_epi16(high, high_c), _mm512_unpackhi_epi16(high, high_c)}};
}

INLINE void store(const output_rows *r, int32_t x, __m512i bytes, const int is_narrow) {
  int8_t *to = r->output[0] + (size_t)x * r->pixel;
  if (is_narrow) {
    _mm256_mask_storeu_epi8(to, (__mmask32)r->exist, _mm512_castsi512_si256(bytes));
    if (r->output[1])
      _mm256_mask_storeu_epi8(r->output[1] + (size_t)x * r->pixel, (__mmask32)r->exist,
                              _mm512_extracti64x4_epi64(bytes, 1));
  } else if (r->exist == ~UINT64_C(0)) {
    _mm512_storeu_si512(to, bytes);
  } else {
    _mm512_mask_storeu_epi8(to, r->exist, bytes);
  }
}

// Outputs x and, if there are two, x + 1 of the columns from the first on.
INLINE void outputs_at(const output_rows *r, int32_t x, const column *columns, const int stride,
                       const int is_narrow, const int outputs) {
  __m512i sum[4][2];
#pragma GCC unroll 4
  for (int g = 0; g < 4; ++g) {
    const int8_t *weights = r->weights + g * kSpkChunk;
#pragma GCC unroll 2
    for (int i = 0; i < outputs; ++i) sum[g][i] = r->ends[g].first;
#pragma GCC unroll 3
    for (int k = 0; k < 3; ++k) {
      const __m512i taps = _mm512_loadu_si512(weights + 4 * k * kSpkChunk);
#pragma GCC unroll 2
      for (int i = 0; i < outputs; ++i)
        sum[g][i] = _mm512_dpbusd_epi32(sum[g][i], columns[i * stride + k].v[g], taps);
    }
    spk_round_channels_avx512(sum[g], outputs, &r->ends[g]);
  }
#pragma GCC unroll 2
  for (int i = 0; i < outputs; ++i) {
    const __m512i bytes = _mm512_packs_epi16(_mm512_packs_epi32(sum[0][i], sum[1][i]),
                                             _mm512_packs_epi32(sum[2][i], sum[3][i]));
    store(r, x + i, _mm512_min_epi8(r->high, _mm512_max_epi8(r->low, bytes)), is_narrow);
  }
}

// Two outputs at a time share the loads of weights and factors.
INLINE void compute(const output_rows *rows, const int stride, const int is_narrow) {
  const output_rows local = *rows, *r = &local;  // no store can change it
  const int shared = 3 - stride, all = 3 + stride;
  column columns[5];
  int32_t at = -r->pad_left, x = 0;
#pragma GCC unroll 2
  for (int k = 0; k < shared; ++k) columns[k] = column_at(r, at + k, is_narrow);
  for (; x + 1 < r->out_w; x += 2, at += 2 * stride) {
#pragma GCC unroll 4
    for (int k = shared; k < all; ++k) columns[k] = column_at(r, at + k, is_narrow);
    outputs_at(r, x, columns, stride, is_narrow, 2);
#pragma GCC unroll 2
    for (int k = 0; k < shared; ++k) columns[k] = columns[2 * stride + k];
  }
  if (x < r->out_w) {
#pragma GCC unroll 2
    for (int k = shared; k < 3; ++k) columns[k] = column_at(r, at + k, is_narrow);
    outputs_at(r, x, columns, stride, is_narrow, 1);
  }
}

TARGET static void wide1(const output_rows *r) { compute(r, 1, 0); }
TARGET static void wide2(const output_rows *r) { compute(r, 2, 0); }
TARGET static void narrow1(const output_rows *r) { compute(r, 1, 1); }
TARGET static void narrow2(const output_rows *r) { compute(r, 2, 1); }

// The rows of the window for output row `y` of one image.
static void find_rows(output_rows *r, int half, const spk_window2d *w, const int8_t *image,
                      const int8_t *padding, int32_t y) {
  for (int row = 0; row < 3; ++row) {
    const int32_t in_y = y * w->stride_h - w->pad_top + row * w->dilation_h;
    const int is_padding = in_y < 0 || in_y >= w->in_h;
    const size_t row_bytes = (size_t)w->in_w * (size_t)w->in_c;
    r->input[half][row] = is_padding ? padding : image + (size_t)in_y * row_bytes;
    r->step[half][row] = is_padding ? 0 : (size_t)w->in_c;
  }
}

TARGET static void run_unit(const spk_args *args, const spk_columns_shape *s, int32_t index) {
  const spk_layer *layer = args->layer;
  const spk_window2d *w = &layer->window;
  const int32_t band = index % s->bands, chunk = index / s->bands % s->chunks;
  const size_t image = (size_t)(index / s->bands / s->chunks),
               first = (size_t)chunk * kSpkChunk;
  const int32_t rest = w->out_c - chunk * kSpkChunk, is_narrow = rest <= kSpkNarrowChunk;
  const size_t in_row = (size_t)w->in_w * w->in_c, out_row = (size_t)w->out_w * w->out_c;
  const int8_t *input = (const int8_t *)args->input + image * w->in_h * in_row + first;
  int8_t *output = (int8_t *)args->output + image * w->out_h * out_row + first;
  const spk_depthwise_ends ends =
      spk_depthwise_ends_of(args->packed, (size_t)s->chunks * kSpkChunk);
  spk_channels_avx512 of_vector[4];
  for (size_t g = 0; g < 4; ++g)
    of_vector[g] = spk_channels_of_avx512(&layer->requant, &ends, first + 16 * g, 128);
  const int32_t zero_point = -layer->requant.input_offset;
  int8_t padding[kSpkChunk];
  memset(padding, zero_point, sizeof(padding));
  output_rows r = {
      .in_w = w->in_w,
      .out_w = w->out_w,
      .pad_left = w->pad_left,
      .pixel = (size_t)w->out_c,
      .exist = rest >= kSpkChunk ? ~UINT64_C(0) : (UINT64_C(1) << rest) - 1,
      .padding = _mm512_set1_epi8((char)(zero_point ^ 0x80)),
      .low = of_vector[0].low,
      .high = of_vector[0].high,
      .weights = (const int8_t *)args->packed + s->weights + (size_t)chunk * kSpkChunkWeights,
      .ends = of_vector,
  };
  const int32_t end =
      (band + 1) * s->band_rows < w->out_h ? (band + 1) * s->band_rows : w->out_h;
  for (int32_t y = band * s->band_rows; y < end; y += 1 + is_narrow) {
    const int has_second = y + 1 < end;
    find_rows(&r, 0, w, input, padding, y);
    if (is_narrow) find_rows(&r, 1, w, input, padding, has_second ? y + 1 : y);
    r.output[0] = output + (size_t)y * out_row;
    r.output[1] = has_second ? r.output[0] + out_row : NULL;
    if (w->stride_w == 1)
      (is_narrow ? narrow1 : wide1)(&r);
    else
      (is_narrow ? narrow2 : wide2)(&r);
  }
}

void spk_depthwise_conv2d_s8_columns__avx512vnni(const spk_args *args) {
  const spk_columns_shape shape = spk_columns_shape_of(args->layer);
  for (int32_t unit = args->begin; unit < args->end; ++unit) run_unit(args, &shape, unit);
}
