// Transpositions in HVX (see spk/transpose_hvx.h).
#include "spk/transpose_hvx.h"

#if defined(__HVX__)

// One pass over n vectors, elements of `grain` bytes; results lie `step` bytes apart. A packet
// holds a load and a store, and loads run ahead.
static void pass(const HVX_Vector *from, uint8_t *to, int32_t n, int32_t grain, int32_t step) {
  const HVX_Vector *half = from + n / 2;
  __asm__ volatile(
      "m0 = %[step]\n\t"
      "r7 = %[grain]\n\t"
      "p0 = cmp.gt(%[more], #0)\n\t"
      "{ v0 = vmem(%[from]++#1) }\n\t"
      "{ v1 = vmem(%[half]++#1) }\n\t"
      "{ v3:2 = vshuff(v1, v0, r7)\n\t"
      "  v0 = vmem(%[from]++#1)\n\t"
      "  if (!p0) jump 2f }\n\t"
      "loop0(1f, %[more])\n\t"
      ".p2align 4\n"
      "1:\n\t"
      "{ v1 = vmem(%[half]++#1)\n\t"
      "  vmem(%[to]++m0) = v2 }\n\t"
      "{ v3:2 = vshuff(v1, v0, r7)\n\t"
      "  v0 = vmem(%[from]++#1)\n\t"
      "  vmem(%[to]++m0) = v3 } :endloop0\n"
      "2:\n\t"
      "{ vmem(%[to]++m0) = v2 }\n\t"
      "{ vmem(%[to]++m0) = v3 }\n\t"
      : [from] "+&r"(from), [half] "+&r"(half), [to] "+&r"(to)
      : [step] "r"(step), [grain] "r"(-grain), [more] "r"(n / 2 - 1)
      : "v0", "v1", "v2", "v3", "r7", "p0", "m0", "lc0", "sa0", "memory");
}

// Two passes in one: four vectors stay in registers, v0 to v3, and v8 to v11 wait for stores.
static void two_passes(const HVX_Vector *from, uint8_t *to, int32_t n, int32_t grain,
                       int32_t step) {
  const HVX_Vector *b = from + n / 4, *c = from + n / 2, *d = b + n / 2;
  __asm__ volatile(
      "m0 = %[step]\n\t"
      "r7 = %[grain]\n\t"
      "p0 = cmp.gt(%[more], #0)\n\t"
      "{ v0 = vmem(%[a]++#1) }\n\t"
      "{ v2 = vmem(%[c]++#1) }\n\t"
      "{ v1 = vmem(%[b]++#1)\n\t"
      "  v5:4 = vshuff(v2, v0, r7) }\n\t"
      "{ v3 = vmem(%[d]++#1) }\n\t"
      "{ v7:6 = vshuff(v3, v1, r7)\n\t"
      "  v0 = vmem(%[a]++#1) }\n\t"
      "{ v9:8 = vshuff(v6, v4, r7)\n\t"
      "  v2 = vmem(%[c]++#1) }\n\t"
      "{ v11:10 = vshuff(v7, v5, r7)\n\t"
      "  v1 = vmem(%[b]++#1)\n\t"
      "  vmem(%[to]++m0) = v8 }\n\t"
      "{ v3 = vmem(%[d]++#1)\n\t"
      "  if (!p0) jump 2f }\n\t"
      "loop0(1f, %[more])\n\t"
      ".p2align 4\n"
      "1:\n\t"
      "{ v5:4 = vshuff(v2, v0, r7)\n\t"
      "  v0 = vmem(%[a]++#1)\n\t"
      "  vmem(%[to]++m0) = v9 }\n\t"
      "{ v7:6 = vshuff(v3, v1, r7)\n\t"
      "  v2 = vmem(%[c]++#1)\n\t"
      "  vmem(%[to]++m0) = v10 }\n\t"
      "{ v9:8 = vshuff(v6, v4, r7)\n\t"
      "  v1 = vmem(%[b]++#1)\n\t"
      "  vmem(%[to]++m0) = v11 }\n\t"
      "{ v11:10 = vshuff(v7, v5, r7)\n\t"
      "  v3 = vmem(%[d]++#1)\n\t"
      "  vmem(%[to]++m0) = v8 } :endloop0\n"
      "2:\n\t"
      "{ vmem(%[to]++m0) = v9 }\n\t"
      "{ vmem(%[to]++m0) = v10 }\n\t"
      "{ vmem(%[to]++m0) = v11 }\n\t"
      : [a] "+&r"(from), [b] "+&r"(b), [c] "+&r"(c), [d] "+&r"(d), [to] "+&r"(to)
      : [step] "r"(step), [grain] "r"(-grain), [more] "r"(n / 4 - 1)
      : "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "r7", "p0",
        "m0", "lc0", "sa0", "memory");
}

// `count` passes back and forth between two arrays, the last to `last`.
static void passes(HVX_Vector *from, HVX_Vector *to, int32_t n, int32_t count, int32_t grain,
                   uint8_t *last, int32_t step) {
  while (count > 0) {
    const int32_t now = count >= 2 && n >= 4 ? 2 : 1;
    uint8_t *const where = count == now ? last : (uint8_t *)to;
    const int32_t apart = count == now ? step : SPK_HVX_BYTES;
    if (now == 2) {
      two_passes(from, where, n, grain, apart);
    } else {
      pass(from, where, n, grain, apart);
    }
    count -= now;
    HVX_Vector *const other = from;
    from = to;
    to = other;
  }
}

void spk_hvx_turn_bytes(HVX_Vector *from, HVX_Vector *work, int32_t rows, int32_t bits,
                        int8_t *to, int32_t step) {
  if (bits == 0) {
    *(HVX_Vector *)to = *from;
  } else {
    passes(from, work, rows, bits, 1, (uint8_t *)to, step);
  }
}

void spk_hvx_turn_words(HVX_Vector *from, HVX_Vector *work, int32_t n, int32_t words,
                        uint8_t *to, int32_t step) {
  int32_t keep = 32, left = 5;
  for (; keep / 2 >= words && keep > 1; keep /= 2, --left) {
    if (keep > n) continue;
    for (int32_t i = 0; i < keep / 2; ++i) {  // the upper half of the words goes
      from[i] = Q6_V_lo_W(Q6_W_vshuff_VVR(from[i + keep / 2], from[i], -4));
    }
  }
  if (keep == words && left > 0) {
    passes(from, work, keep, left, 4, to, step);
    return;
  }
  HVX_Vector *const last = left % 4 == 1 || left % 4 == 2 ? work : from;
  if (left > 0) passes(from, work, keep, left, 4, (uint8_t *)last, SPK_HVX_BYTES);
  for (int32_t i = 0; i < words; ++i, to += step) *(HVX_Vector *)to = last[i];
}

void spk_hvx_load_pixels(const int8_t *pixel, int32_t in_c, HVX_Vector sign, HVX_Vector *to) {
  for (int32_t i = 0; i < 32; ++i, pixel += in_c) {
    *to++ = Q6_V_vxor_VV(spk_hvx_load(pixel), sign);
  }
}

void spk_hvx_load_halves(const int8_t *pixel, int32_t in_c, HVX_Vector sign, HVX_Vector *to) {
  const int8_t *other = pixel + (ptrdiff_t)16 * in_c;
  __asm__ volatile(
      "r7 = #-4\n\t"
      "{ v0 = vmemu(%[pixel] + #0)\n\t"
      "  %[pixel] = add(%[pixel], %[in_c]) }\n\t"
      "{ v1 = vmemu(%[other] + #0)\n\t"
      "  %[other] = add(%[other], %[in_c]) }\n\t"
      "{ v3:2 = vshuff(v1, v0, r7) }\n\t"
      "loop0(1f, #15)\n\t"
      ".p2align 4\n"
      "1:\n\t"
      "{ v0 = vmemu(%[pixel] + #0)\n\t"
      "  v4 = vxor(v2, %[sign])\n\t"
      "  %[pixel] = add(%[pixel], %[in_c]) }\n\t"
      "{ v1 = vmemu(%[other] + #0)\n\t"
      "  %[other] = add(%[other], %[in_c]) }\n\t"
      "{ v3:2 = vshuff(v1, v0, r7)\n\t"
      "  vmem(%[to]++#1) = v4 } :endloop0\n\t"
      "{ v4 = vxor(v2, %[sign])\n\t"
      "  vmem(%[to]++#1) = v4.new }\n"
      : [pixel] "+&r"(pixel), [other] "+&r"(other), [to] "+&r"(to)
      : [in_c] "r"(in_c), [sign] "v"(sign)
      : "v0", "v1", "v2", "v3", "v4", "r7", "lc0", "sa0", "memory");
}

void spk_hvx_put_planar(const HVX_Vector *words, uint8_t *to, int32_t step) {
  const HVX_VectorPair low = Q6_W_vdeal_VVR(words[1], words[0], -1);
  const HVX_VectorPair high = Q6_W_vdeal_VVR(words[3], words[2], -1);
  const HVX_VectorPair even = Q6_W_vdeal_VVR(Q6_V_lo_W(high), Q6_V_lo_W(low), -1);
  const HVX_VectorPair odd = Q6_W_vdeal_VVR(Q6_V_hi_W(high), Q6_V_hi_W(low), -1);
  *(HVX_Vector *)to = Q6_V_lo_W(even);
  *(HVX_Vector *)(to + step) = Q6_V_lo_W(odd);
  *(HVX_Vector *)(to + 2 * step) = Q6_V_hi_W(even);
  *(HVX_Vector *)(to + 3 * step) = Q6_V_hi_W(odd);
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
