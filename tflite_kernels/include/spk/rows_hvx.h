// How the HVX convolutions finish a row of 128 sums, as text for their loops in assembly.
//
// A sum is multiplied in two halves, each of which takes two of the four pipes, so that four
// vectors of sums take eight packets. All else is put beside them: signs and narrowing of the
// same row, and sorting, clamping and the store of the row before, whose 16-bit halves wait in
// v20 and v21. So the first row stores a vector without meaning before job->sums, and behind
// the last row SPK_HVX_FLUSH is needed.
//
// v24 to v27 are products, v28 the multiplier, v29 to v31 the offset and the range of outputs,
// r2 the shift; r4 and r5 the next multiplier and the next bias.
#ifndef SPK_ROWS_HVX_H_
#define SPK_ROWS_HVX_H_

#include "spk/conv2d_hvx.h"
#include "spk/transpose_hvx.h"

// What a row's last packets read. `bias` and `count` belong to the row for which the sums are
// set up: the next one, or with several rows at once that of the next round.
typedef struct spk_hvx_record {
  int32_t multiplier;  // of the next row
  int32_t bias;
  int32_t shift;  // of this row: at most 15 to the right; in bits 8 to 15 what goes before
  int32_t count;
} spk_hvx_record;

#if defined(__HVX__)

// to[i] = base + (index[i] << shift), 64 at a time; returns how many there are. `to` is
// aligned. A product of halfwords leaves the even ones in one vector and the odd ones in
// another, v3:2.
SPK_INLINE int32_t spk_hvx_widen(const uint16_t *index, int32_t count, int32_t base,
                                 int32_t shift, int32_t *to) {
  const int32_t times = count / 64;
  if (times == 0) return 0;
  __asm__ volatile(
      "r7 = #-4\n\t"
      "p0 = cmp.gt(%[more], #0)\n\t"
      "{ v7 = vsplat(%[base])\n\t"
      "  v0 = vmemu(%[index]++#1) }\n\t"
      "{ v3:2.uw = vmpy(v0.uh, %[factor].uh) }\n\t"
      "{ v5:4 = vshuff(v3, v2, r7)\n\t"
      "  if (!p0) jump 2f }\n\t"
      "loop0(1f, %[more])\n\t"
      ".p2align 4\n"
      "1:\n\t"
      "{ v0 = vmemu(%[index]++#1) }\n\t"
      "{ v3:2.uw = vmpy(v0.uh, %[factor].uh)\n\t"
      "  v6.w = vadd(v4.w, v7.w)\n\t"
      "  vmem(%[to]++#1) = v6.new }\n\t"
      "{ v5:4 = vshuff(v3, v2, r7)\n\t"
      "  v6.w = vadd(v5.w, v7.w)\n\t"
      "  vmem(%[to]++#1) = v6.new } :endloop0\n"
      "2:\n\t"
      "{ v6.w = vadd(v4.w, v7.w)\n\t"
      "  vmem(%[to]++#1) = v6.new }\n\t"
      "{ v6.w = vadd(v5.w, v7.w)\n\t"
      "  vmem(%[to]++#1) = v6.new }\n\t"
      : [index] "+&r"(index), [to] "+&r"(to)
      : [base] "r"(base), [factor] "r"(0x10001 << shift), [more] "r"(times - 1)
      : "v0", "v2", "v3", "v4", "v5", "v6", "v7", "r7", "p0", "lc0", "sa0", "memory");
  return times * 64;
}

// The sign is taken from the sum: it differs from the product's only where that is 0, and then
// rounding gives 0 either way.
// clang-format off
#define SPK_HVX_FINISH(a0, a1, a2, a3, a32, sort, six, wide_early, wide_late, end) \
  "{ v24.w = vmpye(" a0 ".w, v28.uh)\n\t"                      \
  "  v20.h = vadd(v20.h, v29.h):sat\n\t"                       \
  "  v21.h = vadd(v21.h, v29.h):sat\n\t"                       \
  "  r5:4 = memd(%[record]++#8) }\n\t"                         \
  "{ v25.w = vmpye(" a1 ".w, v28.uh)\n\t"                      \
  "  v20.b = vpack(v21.h, v20.h):sat\n\t"                      \
  "  r3:2 = memd(%[record]++#8) }\n\t"                         \
  "{ v24.w += vmpyo(" a0 ".w, v28.h):<<1:rnd:sat:shift\n\t"    \
  "  v20.b = " sort "(v20.b) }\n\t"                            \
  "{ v25.w += vmpyo(" a1 ".w, v28.h):<<1:rnd:sat:shift\n\t"    \
  "  v20.b = vmax(v20.b, v30.b) }\n\t"                         \
  "{ v26.w = vmpye(" a2 ".w, v28.uh)\n\t"                      \
  "  v24.w += vasr(" a0 ".w, %[sign])\n\t"                     \
  "  v20.b = vmin(v20.b, v31.b)\n\t"                           \
  "  vmem(%[out]++#1) = v20.new }\n\t"                         \
  "{ v26.w += vmpyo(" a2 ".w, v28.h):<<1:rnd:sat:shift\n\t"    \
  "  v25.w += vasr(" a1 ".w, %[sign])\n\t"                     \
  six " }\n\t"                                                 \
  "{ v27.w = vmpye(" a3 ".w, v28.uh)\n\t"                      \
  "  v26.w += vasr(" a2 ".w, %[sign]) }\n\t"                   \
  wide_early                                                   \
  "{ v27.w += vmpyo(" a3 ".w, v28.h):<<1:rnd:sat:shift\n\t"    \
  "  v20.h = vasr(v26.w, v24.w, r2):rnd:sat }\n\t"             \
  "{ v27.w += vasr(" a3 ".w, %[sign])\n\t"                     \
  "  " a0 " = vsplat(r5)\n\t"                                  \
  "  v28 = vsplat(r4) }\n\t"                                   \
  wide_late                                                    \
  "{ v21.h = vasr(v27.w, v25.w, r2):rnd:sat\n\t"               \
  "  " a32 " = vcombine(" a0 ", " a0 ")\n\t"                   \
  "  " a1 " = " a0 " }" end "\n\t"
// clang-format on

#define SPK_HVX_FLUSH(sort)                 \
  "{ v20.h = vadd(v20.h, v29.h):sat\n\t"    \
  "  v21.h = vadd(v21.h, v29.h):sat }\n\t"  \
  "{ v20.b = vpack(v21.h, v20.h):sat }\n\t" \
  "{ v20.b = " sort                         \
  "(v20.b) }\n\t"                           \
  "{ v20.b = vmax(v20.b, v30.b) }\n\t"      \
  "{ v20.b = vmin(v20.b, v31.b)\n\t"        \
  "  vmem(%[out]++#1) = v20.new }\n\t"

// Shifts by more than 15 bits, in the places wide_early and wide_late; else these are empty.
#define SPK_HVX_WIDE_EARLY          \
  "{ r6 = lsr(r2, #8) }\n\t"        \
  "{ v24.w = vasr(v24.w, r6) }\n\t" \
  "{ v25.w = vasr(v25.w, r6) }\n\t" \
  "{ v26.w = vasr(v26.w, r6) }\n\t"
#define SPK_HVX_WIDE_LATE "{ v27.w = vasr(v27.w, r6) }\n\t"

// Before the first row.
#define SPK_HVX_CONSTANTS        \
  "{ v29 = vsplat(%[zero])\n\t"  \
  "  v30 = vsplat(%[low]) }\n\t" \
  "{ v31 = vsplat(%[high])\n\t"  \
  "  v28 = vsplat(%[multiplier]) }\n\t"

#define SPK_HVX_CONSTANT_OPERANDS(job)                                                       \
  [sign] "r"(31), [zero] "r"((job)->offset), [low] "r"((job)->low), [high] "r"((job)->high), \
      [multiplier] "r"((job)->first_multiplier)

#endif  // __HVX__
#endif  // SPK_ROWS_HVX_H_
