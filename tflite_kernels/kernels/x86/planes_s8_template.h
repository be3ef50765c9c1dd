// int8 depthwise convolutions of 3x3 and sums on planes, for one vector length. The including
// file has what conv2d_s8_blocks_template.h needs, and defines SAME (the same 128 bits in all
// of a vector), FLOATS (a vector as floats), ORDER(x), which sorts its 64-bit parts 0, 2, ...
// and then 1, 3, ..., STORE_SOME(to, words, count), and how a window is multiplied:
//   column   the windows' inputs around neighbouring pixels, one vector of them; in 128-bit
//   lane
//            k there is what belongs to the pixels 4 k ... 4 k + 3
//   column_at(from, row)   loads one; rows of pixels are `row` bytes apart
//   taps, taps_of(plane)   the weights of four channels
//   sum_at(taps, here, next, j, first)   the sums of the windows that begin at the pixels
//            4 k + j, by channels; `next` is the column behind `here`
// SRA32(x, count), PAIRS(first, x, weights) (int16 x int16, two at a time, added to `first`),
// and MOST1, MOST2 and MOST4, the vectors of a convolution by blocks of such heights.
enum { kVectorPixels = BYTES / kSpkPlanesWord, kCacheLine = 64 };

typedef SPK_FOR_ISA(spk_channels_, ISA) channels;

INLINE VECTOR round_sum(VECTOR sum, const channels *ends, const spk_rounding rounding) {
  return SPK_FOR_ISA(spk_requantize_channels_, ISA)(sum, ends, rounding);
}

// Four vectors of numbers, as x + 128, to words of four channels.
INLINE VECTOR words_of(const VECTOR *sum, const channels *ends, int clamps) {
  const VECTOR bytes = PACKU16(PACKS32(sum[0], sum[1]), PACKS32(sum[2], sum[3]));
  return clamps ? MINU8(ends->high, MAXU8(ends->low, bytes)) : bytes;
}

// The next plane lies pages away, where no processor looks by itself.
INLINE void look_ahead(const uint8_t *ahead, size_t row, size_t at) {
  if (at % kCacheLine) return;
#pragma GCC unroll 3
  for (size_t i = 0; i < 3; ++i) __builtin_prefetch(ahead + i * row + at);
}

// A plane of a tile.
INLINE void plane_of(const uint8_t *from, size_t row, const uint8_t *ahead, int32_t pixels,
                     const taps *weights, const channels *ends, int clamps, uint8_t *to,
                     const spk_rounding rounding) {
  column here = column_at(from, row);
  for (int32_t p = 0; p < pixels; p += kVectorPixels) {
    const size_t at = (size_t)p * kSpkPlanesWord;
    const column next = column_at(from + at + BYTES, row);
    look_ahead(ahead, row, at);
    VECTOR sum[4];
#pragma GCC unroll 4
    for (int j = 0; j < 4; ++j)
      sum[j] = round_sum(sum_at(weights, &here, &next, j, ends->first), ends, rounding);
    STORE(to + at, words_of(sum, ends, clamps));
    here = next;
  }
}

// The same with stride 2, for `pixels` of a row: their windows begin at the even pixels of two
// vectors.
INLINE void row_of(const uint8_t *from, size_t row, const uint8_t *ahead, int32_t pixels,
                   const taps *weights, const channels *ends, int clamps, uint8_t *to,
                   const spk_rounding rounding) {
  column here = column_at(from, row);
  for (int32_t p = 0; p < pixels; p += kVectorPixels, from += 2 * BYTES, to += BYTES) {
    const column middle = column_at(from + BYTES, row);
    const column next = column_at(from + 2 * BYTES, row);
    const size_t at = 2 * (size_t)p * kSpkPlanesWord;
    look_ahead(ahead, row, at);
    look_ahead(ahead, row, at + BYTES);
    VECTOR sum[4];
#pragma GCC unroll 2
    for (int j = 0; j < 2; ++j) {
      sum[j] = round_sum(sum_at(weights, &here, &middle, 2 * j, ends->first), ends, rounding);
      sum[2 + j] =
          round_sum(sum_at(weights, &middle, &next, 2 * j, ends->first), ends, rounding);
    }
    STORE_SOME(to, ORDER(words_of(sum, ends, clamps)), pixels - p);
    here = next;
  }
}

// What the rounding in float32 needs.
INLINE channels exact_ends(const spk_requant *q, const spk_planes_taps_s8 *plane) {
  return (channels){
      .first = SAME(plane->first),
      .scale = FLOATS(SAME(plane->scale)),
      .offset = FLOATS(SAME(plane->offset)),
      .below = FLOATS(SAME(plane->below)),
      .low = SET8((char)q->act_min),
      .high = SET8((char)q->act_max),
  };
}

INLINE void rows_of(const uint8_t *from, size_t row, const uint8_t *ahead,
                    const spk_planes_row *rows, int32_t count, const taps *weights,
                    const channels *ends, int clamps, uint8_t *to,
                    const spk_rounding rounding) {
  for (const spk_planes_row *r = rows; r < rows + count; ++r) {
    const ptrdiff_t at = (ptrdiff_t)r->from * kSpkPlanesWord;
    row_of(from + at, row, ahead + at, r->pixels, weights, ends, clamps,
           to + (ptrdiff_t)r->to * kSpkPlanesWord, rounding);
  }
}

// Of stride 2 where there are `rows`, `count` of them, else of `count` pixels.
INLINE void all_planes(const spk_planes_depthwise_s8 *d, spk_planes_tile from,
                       const spk_planes_row *rows, int32_t count, spk_planes_tile to) {
  const spk_requant *q = d->requant;
  const size_t planes = (size_t)d->planes, row = (size_t)d->pitch * kSpkPlanesWord;
  const int clamps = q->act_max - q->act_min < 255;
  const size_t step = (size_t)from.stride * kSpkPlanesWord;
  const spk_depthwise_ends all = spk_depthwise_ends_of(d->packed + planes, planes * 16);
  for (size_t i = 0; i < planes; ++i) {
    const spk_planes_taps_s8 *plane = &d->packed[i];
    const uint8_t *in = (const uint8_t *)from.at + i * step;
    const uint8_t *ahead = i + 1 < planes ? in + step : in;
    uint8_t *out = (uint8_t *)to.at + i * (size_t)to.stride * kSpkPlanesWord;
    const taps weights = taps_of(plane);
#define PLANE(rounding)                                                           \
  if (rows)                                                                       \
    rows_of(in, row, ahead, rows, count, &weights, &ends, clamps, out, rounding); \
  else                                                                            \
    plane_of(in, row, ahead, count, &weights, &ends, clamps, out, rounding)
    if (plane->is_exact) {
      const channels ends = exact_ends(q, plane);
      if (q->act_min >= q->output_offset) {
        PLANE(SPK_ROUND_F32_RELU);
      } else {
        PLANE(SPK_ROUND_F32);
      }
    } else {
      const channels ends = SPK_FOR_ISA(spk_channels_of_, ISA)(q, &all, 16 * i, 128);
      PLANE(SPK_ROUND_TWICE);
    }
#undef PLANE
  }
}

TARGET static void depthwise(const void *conv, spk_planes_tile from, int32_t pixels,
                             spk_planes_tile to) {
  all_planes(conv, from, NULL, pixels, to);
}

TARGET static void depthwise2(const void *conv, spk_planes_tile from,
                              const spk_planes_row *rows, int32_t count, spk_planes_tile to) {
  if (count > 0) all_planes(conv, from, rows, count, to);
}

// Two weights of int16 in all 32-bit lanes.
INLINE VECTOR both(const int16_t *weights) {
  int32_t pair;
  memcpy(&pair, weights, sizeof(pair));
  return SET32(pair);
}

TARGET static void add(const void *add, spk_planes_tile a, spk_planes_tile b, int32_t pixels,
                       spk_planes_tile to) {
  const spk_planes_add_s8 *s = add;
  const VECTOR high = both(s->high), low = both(s->low), zero = SET8(0);
  const VECTOR first_high = SET32(s->first_high), first_low = SET32(s->first_low);
  const __m128i shift = _mm_cvtsi32_si128(s->shift),
                low_bits = _mm_cvtsi32_si128(kSpkPlanesLowBits);
  const channels ends = {.low = SET8((char)s->act_min), .high = SET8((char)s->act_max)};
  const int clamps = s->act_max - s->act_min < 255;
  for (size_t i = 0; i < (size_t)s->planes; ++i) {
    const uint8_t *x = (const uint8_t *)a.at + i * (size_t)a.stride * kSpkPlanesWord;
    const uint8_t *y = (const uint8_t *)b.at + i * (size_t)b.stride * kSpkPlanesWord;
    uint8_t *out = (uint8_t *)to.at + i * (size_t)to.stride * kSpkPlanesWord;
    for (size_t at = 0; at < (size_t)pixels * kSpkPlanesWord; at += BYTES) {
      const VECTOR left = LOAD(x + at), right = LOAD(y + at);
      const VECTOR upper = UNPACKHI8(left, right), lower = UNPACKLO8(left, right);
      VECTOR sum[4] = {UNPACKLO8(lower, zero), UNPACKHI8(lower, zero), UNPACKLO8(upper, zero),
                       UNPACKHI8(upper, zero)};
#pragma GCC unroll 4
      for (int j = 0; j < 4; ++j) {
        const VECTOR below = SRA32(PAIRS(first_low, sum[j], low), low_bits);
        sum[j] = SRA32(ADD32(PAIRS(first_high, sum[j], high), below), shift);
      }
      STORE(out + at, words_of(sum, &ends, clamps));
    }
  }
}

// A sparse convolution by blocks of `height`: `vectors` of pixels at a time, from pixel `at`
// on.
INLINE void part(const spk_channels_s8 *run, spk_planes_tile from, int32_t at,
                 spk_planes_tile to, const spk_planes_gaps *all, const int height,
                 const int vectors) {
  const size_t stride = (size_t)to.stride * kSpkPlanesWord;
  const int32_t pixels = vectors * kVectorPixels;
  const spk_planes_gaps gaps = spk_planes_gaps_in(*all, at, at + pixels);
  const uint8_t *in = spk_planes_from(from, at).at;
  uint8_t *out = spk_planes_from(to, at).at;
  if (run->away)
    NAME(fours)(run, in, pixels, 0, run->rows, out, stride, &gaps, height, 1, vectors, 1);
  else
    NAME(fours)(run, in, pixels, 0, run->rows, out, stride, &gaps, height, 0, vectors, 1);
}

// The most vectors that the registers hold at a time, for all channels, so that inputs stay in
// the cache; then what is left.
INLINE void all_pixels(const spk_channels_s8 *run, spk_planes_tile from, int32_t pixels,
                       spk_planes_tile to, const spk_planes_gaps *gaps, const int height,
                       const int most) {
  const int32_t at_once = most * kVectorPixels;
  int32_t at = 0;
  for (; pixels - at >= at_once; at += at_once) part(run, from, at, to, gaps, height, most);
#define PART(vectors)                                                 \
  if (most > (vectors) && pixels - at >= (vectors) * kVectorPixels) { \
    part(run, from, at, to, gaps, height, vectors);                   \
    at += (vectors) * kVectorPixels;                                  \
  }
  PART(4)
  PART(3)
  PART(2)
  PART(1)
#undef PART
}

#define ROWS(height)                                                                \
  TARGET static void rows##height(const spk_channels_s8 *run, spk_planes_tile from, \
                                  int32_t pixels, spk_planes_tile to,               \
                                  const spk_planes_gaps *gaps) {                    \
    all_pixels(run, from, pixels, to, gaps, height, MOST##height);                  \
  }
ROWS(1)
ROWS(2)
ROWS(4)

TARGET static void conv2d(const void *conv, spk_planes_tile from, int32_t pixels,
                          spk_planes_tile to, const spk_planes_gaps *gaps) {
  const spk_planes_conv2d_s8 *c = conv;
  (c->height == 4   ? rows4
   : c->height == 2 ? rows2
                    : rows1)(&c->channels, from, pixels, to, gaps);
}
