// Sums of one channel to int8 numbers, for one vector length; see channels_s8.h. The including
// file defines TARGET, VECTOR, SET32, SET64 and NAME(x), and ISA as in spk_requantize_ ## ISA.
#define SPK_GLUE(a, b)    a##b
#define SPK_FOR_ISA(a, b) SPK_GLUE(a, b)
#define INLINE            TARGET static inline __attribute__((always_inline))

// In place: `vectors` sums of channel `o` to numbers that saturating packs make int8.
INLINE void NAME(round)(const spk_channels_s8 *c, int32_t o, VECTOR *sum,
                        const spk_channel_way way, const int away, const int vectors) {
  if (way == SPK_WAY_F32) {
    const float scale = c->scale[o], offset = c->offset[o], below = c->below[o];
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v)
      sum[v] = away ? SPK_FOR_ISA(spk_scale_away_, ISA)(sum[v], scale, offset, below)
                    : SPK_FOR_ISA(spk_scale_, ISA)(sum[v], scale, offset);
    return;
  }
  const VECTOR multiplier = SET32(c->multiplier[o]);
  const VECTOR constant = SET64(spk_short_constant(c->shift[o], c->requant->output_offset));
  const __m128i shift = _mm_cvtsi32_si128(-c->shift[o] - 1);
#pragma GCC unroll 8
  for (int v = 0; v < vectors; ++v)
    sum[v] = away ? SPK_FOR_ISA(spk_requantize_away_, ISA)(sum[v], multiplier, constant, shift)
                  : SPK_FOR_ISA(spk_requantize_up_, ISA)(sum[v], multiplier, constant, shift);
}

// The way of the reference.
TARGET static __attribute__((noinline)) void NAME(round_as_reference)(const spk_channels_s8 *c,
                                                                      int32_t o, VECTOR *sum,
                                                                      int vectors) {
  if (o >= c->rows) return;
  const SPK_FOR_ISA(spk_factors_, ISA) factors =
      SPK_FOR_ISA(spk_channel_factors_, ISA)(c->requant, o);
  for (int v = 0; v < vectors; ++v)
    sum[v] = SPK_FOR_ISA(spk_requantize_, ISA)(sum[v], &factors);
}
