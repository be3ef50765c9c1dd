// Transpositions in HVX (see spk/transpose_hvx.h).
#include "spk/transpose_hvx.h"

#if defined(__HVX__)

// One pass over n vectors, elements of `grain` bytes.
SPK_INLINE void pass(const HVX_Vector *restrict from, HVX_Vector *restrict to, int32_t n,
                     int32_t grain) {
  for (int32_t i = 0; i < n / 2; ++i) {
    const HVX_VectorPair both = Q6_W_vshuff_VVR(from[i + n / 2], from[i], -grain);
    to[2 * i] = Q6_V_lo_W(both);
    to[2 * i + 1] = Q6_V_hi_W(both);
  }
}

// Two passes in one: four vectors stay in registers.
SPK_INLINE void two_passes(const HVX_Vector *restrict from, HVX_Vector *restrict to, int32_t n,
                           int32_t grain) {
  const int32_t quarter = n / 4;
  for (int32_t i = 0; i < quarter; ++i, from += 1, to += 4) {
    const HVX_Vector a = from[0], b = from[quarter], c = from[2 * quarter],
                     d = from[3 * quarter];
    const HVX_VectorPair ac = Q6_W_vshuff_VVR(c, a, -grain);
    const HVX_VectorPair bd = Q6_W_vshuff_VVR(d, b, -grain);
    const HVX_VectorPair low = Q6_W_vshuff_VVR(Q6_V_lo_W(bd), Q6_V_lo_W(ac), -grain);
    const HVX_VectorPair high = Q6_W_vshuff_VVR(Q6_V_hi_W(bd), Q6_V_hi_W(ac), -grain);
    to[0] = Q6_V_lo_W(low);
    to[1] = Q6_V_hi_W(low);
    to[2] = Q6_V_lo_W(high);
    to[3] = Q6_V_hi_W(high);
  }
}

SPK_INLINE HVX_Vector *passes(HVX_Vector *from, HVX_Vector *to, int32_t n, int32_t count,
                              int32_t grain) {
  for (; count >= 2 && n >= 4; count -= 2) {
    two_passes(from, to, n, grain);
    HVX_Vector *const other = from;
    from = to;
    to = other;
  }
  for (; count > 0; --count) {
    pass(from, to, n, grain);
    HVX_Vector *const other = from;
    from = to;
    to = other;
  }
  return from;
}

const HVX_Vector *spk_hvx_turn_bytes(HVX_Vector *from, HVX_Vector *to, int32_t rows,
                                     int32_t bits) {
  return passes(from, to, rows, bits, 1);
}

HVX_Vector *spk_hvx_turn_words(HVX_Vector *from, HVX_Vector *to, int32_t words) {
  int32_t n = 32, left = 5;
  for (; n > words; n /= 2, --left) {  // the upper half of the words goes
    for (int32_t i = 0; i < n / 2; ++i) {
      from[i] = Q6_V_lo_W(Q6_W_vshuff_VVR(from[i + n / 2], from[i], -4));
    }
  }
  return n == 1 ? from : passes(from, to, n, left, 4);
}

// The first `bytes` bytes of a vector, at most 128: two stores under a mask.
static void store_part(int8_t *to, HVX_Vector v, int32_t bytes) {
  const int32_t begin = (int32_t)((uintptr_t)to & (SPK_HVX_BYTES - 1)), end = begin + bytes;
  HVX_Vector *const line = (HVX_Vector *)(to - begin);
  const HVX_Vector placed = Q6_V_vlalign_VVR(v, v, begin);
  const HVX_VectorPred before = Q6_Q_vsetq_R(begin);
  if (end > SPK_HVX_BYTES) {
    Q6_vmem_QnRIV(before, line, placed);
    Q6_vmem_QRIV(Q6_Q_vsetq2_R(end - SPK_HVX_BYTES), line + 1, placed);
  } else {
    Q6_vmem_QRIV(Q6_Q_and_QQn(Q6_Q_vsetq2_R(end), before), line, placed);
  }
}

void spk_hvx_copy(int8_t *to, const int8_t *from, int32_t bytes) {
  for (; bytes >= SPK_HVX_BYTES; bytes -= SPK_HVX_BYTES) {
    spk_hvx_store(to, spk_hvx_load(from));
    to += SPK_HVX_BYTES;
    from += SPK_HVX_BYTES;
  }
  if (bytes > 0) store_part(to, spk_hvx_load(from), bytes);
}

#endif  // __HVX__
