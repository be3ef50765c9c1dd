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
// Vectors are read `apart` bytes apart, and exclusively-ored with `sign` before they are
// stored.
static void two_passes(const void *from, int32_t apart, HVX_Vector sign, uint8_t *to, int32_t n,
                       int32_t grain, int32_t step) {
  const uint8_t *a = from, *b = a + n / 4 * apart, *c = a + n / 2 * apart,
                *d = b + n / 2 * apart;
  __asm__ volatile(
      "m0 = %[step]\n\t"
      "m1 = %[apart]\n\t"
      "r7 = %[grain]\n\t"
      "p0 = cmp.gt(%[more], #0)\n\t"
      "{ v0 = vmem(%[a]++m1) }\n\t"
      "{ v2 = vmem(%[c]++m1) }\n\t"
      "{ v1 = vmem(%[b]++m1)\n\t"
      "  v5:4 = vshuff(v2, v0, r7) }\n\t"
      "{ v3 = vmem(%[d]++m1) }\n\t"
      "{ v7:6 = vshuff(v3, v1, r7)\n\t"
      "  v0 = vmem(%[a]++m1) }\n\t"
      "{ v9:8 = vshuff(v6, v4, r7)\n\t"
      "  v2 = vmem(%[c]++m1) }\n\t"
      "{ v11:10 = vshuff(v7, v5, r7)\n\t"
      "  v12 = vxor(v8, %[sign])\n\t"
      "  v1 = vmem(%[b]++m1)\n\t"
      "  vmem(%[to]++m0) = v12.new }\n\t"
      "{ v3 = vmem(%[d]++m1)\n\t"
      "  if (!p0) jump 2f }\n\t"
      "loop0(1f, %[more])\n\t"
      ".p2align 4\n"
      "1:\n\t"
      "{ v5:4 = vshuff(v2, v0, r7)\n\t"
      "  v12 = vxor(v9, %[sign])\n\t"
      "  v0 = vmem(%[a]++m1)\n\t"
      "  vmem(%[to]++m0) = v12.new }\n\t"
      "{ v7:6 = vshuff(v3, v1, r7)\n\t"
      "  v12 = vxor(v10, %[sign])\n\t"
      "  v2 = vmem(%[c]++m1)\n\t"
      "  vmem(%[to]++m0) = v12.new }\n\t"
      "{ v9:8 = vshuff(v6, v4, r7)\n\t"
      "  v12 = vxor(v11, %[sign])\n\t"
      "  v1 = vmem(%[b]++m1)\n\t"
      "  vmem(%[to]++m0) = v12.new }\n\t"
      "{ v11:10 = vshuff(v7, v5, r7)\n\t"
      "  v12 = vxor(v8, %[sign])\n\t"
      "  v3 = vmem(%[d]++m1)\n\t"
      "  vmem(%[to]++m0) = v12.new } :endloop0\n"
      "2:\n\t"
      "{ v12 = vxor(v9, %[sign])\n\t"
      "  vmem(%[to]++m0) = v12.new }\n\t"
      "{ v12 = vxor(v10, %[sign])\n\t"
      "  vmem(%[to]++m0) = v12.new }\n\t"
      "{ v12 = vxor(v11, %[sign])\n\t"
      "  vmem(%[to]++m0) = v12.new }\n\t"
      : [a] "+&r"(a), [b] "+&r"(b), [c] "+&r"(c), [d] "+&r"(d), [to] "+&r"(to)
      : [step] "r"(step), [apart] "r"(apart), [sign] "v"(sign), [grain] "r"(-grain),
        [more] "r"(n / 4 - 1)
      : "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "r7",
        "p0", "m0", "m1", "lc0", "sa0", "memory");
}

// Three passes in one, twelve packets for eight vectors: v0 to v7 are read, v24 to v31 wait for
// stores. Reads one vector behind the last.
static void three_passes(const HVX_Vector *from, uint8_t *to, int32_t n, int32_t grain,
                         int32_t step) {
  __asm__ volatile(
      "m0 = %[step]\n\t"
      "m1 = %[eighth]\n\t"
      "r7 = %[grain]\n\t"
      "p0 = cmp.eq(r7, r7)\n\t"  // nothing has been computed that could be stored
      "{ v0 = vmem(%[from]++m1) }\n\t"
      "{ v1 = vmem(%[from]++m1) }\n\t"
      "{ v2 = vmem(%[from]++m1) }\n\t"
      "{ v3 = vmem(%[from]++m1) }\n\t"
      "{ v4 = vmem(%[from]++m1) }\n\t"
      "{ v5 = vmem(%[from]++m1) }\n\t"
      "{ v6 = vmem(%[from]++m1) }\n\t"
      "{ v7 = vmem(%[from]++m1) }\n\t"
      "loop0(1f, %[times])\n\t"
      ".p2align 4\n"
      "1:\n\t"
      "{ v9:8 = vshuff(v4, v0, r7)\n\t"
      "  if (!p0) vmem(%[to]++m0) = v27 }\n\t"
      "{ v11:10 = vshuff(v6, v2, r7)\n\t"
      "  if (!p0) vmem(%[to]++m0) = v28 }\n\t"
      "{ v13:12 = vshuff(v5, v1, r7)\n\t"
      "  if (!p0) vmem(%[to]++m0) = v29 }\n\t"
      "{ v15:14 = vshuff(v7, v3, r7)\n\t"
      "  %[from] = add(%[from], %[back])\n\t"
      "  if (!p0) vmem(%[to]++m0) = v30 }\n\t"
      "{ v17:16 = vshuff(v10, v8, r7)\n\t"
      "  v0 = vmem(%[from]++m1)\n\t"
      "  if (!p0) vmem(%[to]++m0) = v31 }\n\t"
      "{ v19:18 = vshuff(v14, v12, r7)\n\t"
      "  p0 = !cmp.eq(r7, r7)\n\t"
      "  v1 = vmem(%[from]++m1) }\n\t"
      "{ v21:20 = vshuff(v11, v9, r7)\n\t"
      "  v2 = vmem(%[from]++m1) }\n\t"
      "{ v23:22 = vshuff(v15, v13, r7)\n\t"
      "  v3 = vmem(%[from]++m1) }\n\t"
      "{ v25:24 = vshuff(v18, v16, r7)\n\t"
      "  v4 = vmem(%[from]++m1) }\n\t"
      "{ v27:26 = vshuff(v19, v17, r7)\n\t"
      "  v5 = vmem(%[from]++m1)\n\t"
      "  vmem(%[to]++m0) = v24 }\n\t"
      "{ v29:28 = vshuff(v22, v20, r7)\n\t"
      "  v6 = vmem(%[from]++m1)\n\t"
      "  vmem(%[to]++m0) = v25 }\n\t"
      "{ v31:30 = vshuff(v23, v21, r7)\n\t"
      "  v7 = vmem(%[from]++m1)\n\t"
      "  vmem(%[to]++m0) = v26 } :endloop0\n\t"
      "{ vmem(%[to]++m0) = v27 }\n\t"
      "{ vmem(%[to]++m0) = v28 }\n\t"
      "{ vmem(%[to]++m0) = v29 }\n\t"
      "{ vmem(%[to]++m0) = v30 }\n\t"
      "{ vmem(%[to]++m0) = v31 }\n\t"
      : [from] "+&r"(from), [to] "+&r"(to)
      : [step] "r"(step), [eighth] "r"(n / 8 * SPK_HVX_BYTES),
        [back] "r"((1 - n) * SPK_HVX_BYTES), [grain] "r"(-grain), [times] "r"(n / 8)
      : "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", "v12", "v13",
        "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21", "v22", "v23", "v24", "v25",
        "v26", "v27", "v28", "v29", "v30", "v31", "r7", "p0", "m0", "m1", "lc0", "sa0",
        "memory");
}

// `count` passes over n vectors, `apart` bytes apart at first, by way of two arrays in turn.
// The last goes to `last`, vectors `step` bytes apart; if that is NULL, to the next array.
// Returns where the result lies.
static void *passes(const void *from, int32_t apart, HVX_Vector sign, int32_t n, int32_t count,
                    int32_t grain, HVX_Vector *first, HVX_Vector *second, void *last,
                    int32_t step) {
  while (count > 0) {
    const int32_t most = count == 3 && n >= 8 ? 3 : 2, now = count >= most && n >= 4 ? most : 1;
    const int at_last = count == now && last != NULL;
    uint8_t *const to = at_last ? last : first;
    const int32_t to_step = at_last ? step : SPK_HVX_BYTES;
    if (now == 3) {
      three_passes(from, to, n, grain, to_step);
    } else if (now == 2) {
      two_passes(from, apart, sign, to, n, grain, to_step);
    } else {
      pass(from, to, n, grain, to_step);
    }
    count -= now;
    apart = SPK_HVX_BYTES;
    sign = Q6_V_vzero();
    HVX_Vector *const other = first;
    first = second;
    second = other;
    from = to;
  }
  return (void *)(uintptr_t)from;
}

HVX_Vector *spk_hvx_turn_rows(HVX_Vector *from, HVX_Vector *work, int32_t rows, int32_t bits) {
  return passes(from, SPK_HVX_BYTES, Q6_V_vzero(), rows, bits, 1, work, from, NULL, 0);
}

void spk_hvx_turn_bytes(HVX_Vector *from, HVX_Vector *work, int32_t rows, int32_t bits,
                        int8_t *to, int32_t step) {
  if (bits == 0) {
    *(HVX_Vector *)to = *from;
  } else {
    passes(from, SPK_HVX_BYTES, Q6_V_vzero(), rows, bits, 1, work, from, to, step);
  }
}

int spk_hvx_are_regular(const int8_t *pixels, int32_t in_c) {
  const int whole = in_c % SPK_HVX_BYTES == 0;
  const int parts = in_c >= 16 && in_c < SPK_HVX_BYTES && (in_c & (in_c - 1)) == 0;
  return (whole || parts) && (uintptr_t)pixels % SPK_HVX_BYTES == 0;
}

void spk_hvx_turn_pixels(const int8_t *pixels, int32_t in_c, HVX_Vector sign, int32_t grain,
                         HVX_Vector *first, HVX_Vector *second, uint8_t *to, int32_t step) {
  const int32_t apart = in_c < SPK_HVX_BYTES ? SPK_HVX_BYTES : in_c;
  const int32_t channels = in_c < SPK_HVX_BYTES ? in_c : SPK_HVX_BYTES;
  if (grain == 1) {
    passes(pixels, apart, sign, channels, 7, 1, first, second, to, step);
  } else {
    passes(pixels, apart, sign, channels / 4, 5, 4, first, second, to, step);
  }
}

void spk_hvx_turn_words(HVX_Vector *from, HVX_Vector *work, int32_t n, int32_t words,
                        uint8_t *to, int32_t step) {
  const HVX_Vector zero = Q6_V_vzero();
  int32_t keep = 32, left = 5;
  for (; keep / 2 >= words && keep > 1; keep /= 2, --left) {
    if (keep > n) continue;
    for (int32_t i = 0; i < keep / 2; ++i) {  // the upper half of the words goes
      from[i] = Q6_V_lo_W(Q6_W_vshuff_VVR(from[i + keep / 2], from[i], -4));
    }
  }
  if (keep == words && left > 0) {
    passes(from, SPK_HVX_BYTES, zero, keep, left, 4, work, from, to, step);
    return;
  }
  const HVX_Vector *const last =
      passes(from, SPK_HVX_BYTES, zero, keep, left, 4, work, from, NULL, 0);
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
