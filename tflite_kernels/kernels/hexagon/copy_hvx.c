// Copies of shifted planes in HVX (see spk/copy_hvx.h): a load in every packet.
#include "spk/copy_hvx.h"

#if defined(__HVX__)

void spk_hvx_copy_words(const uint8_t *from, int32_t step, int32_t count,
                        const HVX_Vector *masks, HVX_Vector padding, uint8_t *to,
                        int32_t to_step) {
  const int32_t by = (int32_t)((uintptr_t)from % SPK_HVX_BYTES);
  const uint8_t *line = from - by;
  __asm__ volatile(
      "m0 = %[step]\n\t"
      "m1 = %[to_step]\n\t"
      "r7 = %[by]\n\t"
      "loop0(1f, %[count])\n\t"
      "{ v1 = vmem(%[masks] + #0) }\n\t"
      "{ q0 = vand(v1, %[all])\n\t"
      "  v2 = vmem(%[masks] + #1) }\n\t"
      "{ q1 = vand(v2, %[all])\n\t"
      "  v1 = vmem(%[masks] + #2) }\n\t"
      "{ q2 = vand(v1, %[all])\n\t"
      "  v2 = vmem(%[masks] + #3) }\n\t"
      "{ q3 = vand(v2, %[all])\n\t"
      "  v0 = vmem(%[line]++#1) }\n\t"
      "{ v1 = vmem(%[line]++#1) }\n\t"
      "{ v5 = valign(v1, v0, r7)\n\t"
      "  v2 = vmem(%[line]++#1) }\n\t"
      ".p2align 4\n"
      "1:\n\t"
      "{ v9 = vmux(q0, v5, %[padding])\n\t"
      "  vmem(%[to]++#1) = v9.new\n\t"
      "  v6 = valign(v2, v1, r7)\n\t"
      "  v3 = vmem(%[line]++#1) }\n\t"
      "{ v9 = vmux(q1, v6, %[padding])\n\t"
      "  vmem(%[to]++#1) = v9.new\n\t"
      "  v7 = valign(v3, v2, r7)\n\t"
      "  v4 = vmem(%[line]++m0) }\n\t"
      "{ v9 = vmux(q2, v7, %[padding])\n\t"
      "  vmem(%[to]++#1) = v9.new\n\t"
      "  v0 = vmem(%[line]++#1) }\n\t"
      "{ v8 = valign(v4, v3, r7)\n\t"
      "  v1 = vmem(%[line]++#1) }\n\t"
      "{ v9 = vmux(q3, v8, %[padding])\n\t"
      "  vmem(%[to]++m1) = v9.new\n\t"
      "  v5 = valign(v1, v0, r7)\n\t"
      "  v2 = vmem(%[line]++#1) } :endloop0\n"
      : [line] "+&r"(line), [to] "+&r"(to)
      : [step] "r"(step - 4 * SPK_HVX_BYTES), [to_step] "r"(to_step - 3 * SPK_HVX_BYTES),
        [by] "r"(by), [count] "r"(count), [padding] "v"(padding), [masks] "r"(masks),
        [all] "r"(-1)
      : "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "q0", "q1", "q2", "q3",
        "r7", "m0", "m1", "lc0", "sa0", "memory");
}

void spk_hvx_copy_bytes(const uint8_t *from, int32_t step, int32_t count,
                        const HVX_Vector *mask, HVX_Vector padding, uint8_t *to) {
  const int32_t by = (int32_t)((uintptr_t)from % SPK_HVX_BYTES);
  const uint8_t *line = from - by;
  __asm__ volatile(
      "m0 = %[step]\n\t"
      "r7 = %[by]\n\t"
      "loop0(1f, %[count])\n\t"
      "{ v1 = vmem(%[mask] + #0) }\n\t"
      "{ q0 = vand(v1, %[all])\n\t"
      "  v0 = vmem(%[line]++#1) }\n\t"
      "{ v1 = vmem(%[line]++m0) }\n\t"
      ".p2align 4\n"
      "1:\n\t"
      "{ v2 = valign(v1, v0, r7)\n\t"
      "  v0 = vmem(%[line]++#1) }\n\t"
      "{ v3 = vmux(q0, v2, %[padding])\n\t"
      "  vmem(%[to]++#1) = v3.new\n\t"
      "  v1 = vmem(%[line]++m0) } :endloop0\n"
      : [line] "+&r"(line), [to] "+&r"(to)
      : [step] "r"(step - SPK_HVX_BYTES), [by] "r"(by), [count] "r"(count),
        [padding] "v"(padding), [mask] "r"(mask), [all] "r"(-1)
      : "v0", "v1", "v2", "v3", "q0", "r7", "m0", "lc0", "sa0", "memory");
}

// A packet of three shifted copies: the one before is masked and stored, the next is shifted,
// and a vector of the next plane is loaded.
#define STEP(mask, ready, to, next, high, low, amount, load, end) \
  "{ v9 = vmux(" mask ", " ready                                  \
  ", %[padding])\n\t"                                             \
  "  vmem(%[" to                                                  \
  "]++#1) = v9.new\n\t"                                           \
  "  " next " = valign(" high ", " low ", " amount                \
  ")\n\t"                                                         \
  "  " load " }" end "\n\t"

// Two planes, for their vectors lie in v0 to v2 and v10 to v12 in turn. h1 to l2 are the
// numbers of those that the second and the third copy are made of.
#define PLANES(h1, l1, h2, l2)                                                          \
  STEP("q0", "v5", "to0", "v6", "v" #h1, "v" #l1, "r6", "v10 = vmem(%[line]++#1)", "")  \
  STEP("q1", "v6", "to1", "v7", "v" #h2, "v" #l2, "r7", "v11 = vmem(%[line]++#1)", "")  \
  STEP("q2", "v7", "to2", "v5", "v11", "v10", "r5", "v12 = vmem(%[line]++m0)", "")      \
  STEP("q0", "v5", "to0", "v6", "v1" #h1, "v1" #l1, "r6", "v0 = vmem(%[line]++#1)", "") \
  STEP("q1", "v6", "to1", "v7", "v1" #h2, "v1" #l2, "r7", "v1 = vmem(%[line]++#1)", "") \
  STEP("q2", "v7", "to2", "v5", "v1", "v0", "r5", "v2 = vmem(%[line]++m0)", " :endloop0")

#define COPY(planes)                                                                           \
  __asm__ volatile(                                                                            \
      "m0 = %[step]\n\t"                                                                       \
      "r5 = %[by]\n\t"                                                                         \
      "r6 = %[by1]\n\t"                                                                        \
      "r7 = %[by2]\n\t"                                                                        \
      "loop0(1f, %[pairs])\n\t"                                                                \
      "{ v3 = vmem(%[mask0] + #0) }\n\t"                                                       \
      "{ q0 = vand(v3, %[all])\n\t  v3 = vmem(%[mask1] + #0) }\n\t"                            \
      "{ q1 = vand(v3, %[all])\n\t  v3 = vmem(%[mask2] + #0) }\n\t"                            \
      "{ q2 = vand(v3, %[all])\n\t  v0 = vmem(%[line]++#1) }\n\t"                              \
      "{ v1 = vmem(%[line]++#1) }\n\t"                                                         \
      "{ v5 = valign(v1, v0, r5)\n\t  v2 = vmem(%[line]++m0) }\n\t"                            \
      ".p2align 4\n"                                                                           \
      "1:\n\t" planes                                                                          \
      : [line] "+&r"(line), [to0] "+&r"(to0), [to1] "+&r"(to1), [to2] "+&r"(to2)               \
      : [step] "r"(step - 2 * SPK_HVX_BYTES), [by] "r"(by), [by1] "r"(by1), [by2] "r"(by2),    \
        [pairs] "r"(count / 2), [padding] "v"(padding), [mask0] "r"(mask[0]),                  \
        [mask1] "r"(mask[1]), [mask2] "r"(mask[2]), [all] "r"(-1)                              \
      : "v0", "v1", "v2", "v3", "v5", "v6", "v7", "v9", "v10", "v11", "v12", "q0", "q1", "q2", \
        "r5", "r6", "r7", "m0", "lc0", "sa0", "memory")

void spk_hvx_copy_thrice(const uint8_t *from, const int32_t at[3], int32_t step, int32_t count,
                         const HVX_Vector *const mask[3], HVX_Vector padding,
                         uint8_t *const to[3]) {
  const int32_t by = (int32_t)((uintptr_t)from % SPK_HVX_BYTES);
  const int32_t by1 = by + at[1], by2 = by + at[2];
  const uint8_t *line = from - by;
  uint8_t *to0 = to[0], *to1 = to[1], *to2 = to[2];
  if (by2 < SPK_HVX_BYTES) {
    COPY(PLANES(1, 0, 1, 0));
  } else if (by1 < SPK_HVX_BYTES) {
    COPY(PLANES(1, 0, 2, 1));
  } else {
    COPY(PLANES(2, 1, 2, 1));
  }
}

#endif  // __HVX__
