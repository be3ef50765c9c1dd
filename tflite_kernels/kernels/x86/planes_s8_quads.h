// Windows of 3x3 on planes, multiplied by columns with dot products of four bytes; see
// planes_s8_template.h. The including file defines UNPACKLO8, UNPACKHI8, UNPACKLO16 and
// UNPACKHI16, NEXT(here, next) (128-bit lane k + 1 in lane k) and DOTS (u8 x s8, four at a
// time).

// In lane 4 k + i of v[j] there are the three rows of channel i at pixel 4 k + j, and some
// byte.
typedef struct column {
  VECTOR v[4];
} column;

// By columns of the window.
typedef struct taps {
  VECTOR column[3];
} taps;

INLINE column column_at(const uint8_t *from, size_t row) {
  const VECTOR a = LOAD(from), b = LOAD(from + row), c = LOAD(from + 2 * row);
  const VECTOR low = UNPACKLO8(a, b), high = UNPACKHI8(a, b);
  const VECTOR low_c = UNPACKLO8(c, c), high_c = UNPACKHI8(c, c);
  return (column){{UNPACKLO16(low, low_c), UNPACKHI16(low, low_c), UNPACKLO16(high, high_c),
                   UNPACKHI16(high, high_c)}};
}

INLINE taps taps_of(const spk_planes_taps_s8 *plane) {
  return (taps){{SAME(plane->weights[0]), SAME(plane->weights[1]), SAME(plane->weights[2])}};
}

INLINE VECTOR pixel_at(const column *here, const column *next, const int i) {
  return i < 4 ? here->v[i] : NEXT(here->v[i - 4], next->v[i - 4]);
}

INLINE VECTOR sum_at(const taps *weights, const column *here, const column *next, const int j,
                     VECTOR first) {
  VECTOR sum = first;
#pragma GCC unroll 3
  for (int k = 0; k < 3; ++k) sum = DOTS(sum, pixel_at(here, next, j + k), weights->column[k]);
  return sum;
}
