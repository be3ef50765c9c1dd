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

#endif  // __HVX__
