// ADD, int8, for Cortex-M4, M7 and M33: 14 instructions a sum, where C takes 30.
//
// TFLite scales both inputs to twice the larger of their scales, with 20 more bits. That is a
// shift for the input of the larger scale; the other one and the sum are multiplied, rounded,
// and rounded again where they are shifted, ties away from zero.
#include "spk/armv7em.h"
#include "spk/kernels_s8.h"

enum { kHalf = 1 << 30, kMostRight = 22 };

// What four sums need, as the assembly loads it: first for the other input, then for the sum.
typedef struct add_constants {
  int32_t other_offset;  // 21 bits to the left
  int32_t other_multiplier, other_half, other_right;
  int32_t offset;  // of the input of the larger scale, 20 bits to the left
  int32_t multiplier;
  int32_t half;  // and the output offset, before the right shift
  int32_t right;
} add_constants;

#if SPK_ARMV7EM

#pragma GCC diagnostic ignored "-Wunused-parameter"  // the assembly finds them in registers

// clang-format off
// A negative product is a unit lower before it is shifted. (Where it rounds to 0 that changes
// nothing.)
#define SCALE(x)                                 \
  "add r12, r10, " x ", asr #31\n\t"             \
  "smmlar " x ", " x ", r9, r12\n\t"             \
  "asr " x ", " x ", r11\n\t"
#define SCALE_OTHER(x)                           \
  "add " x ", r8, " x ", lsl #21\n\t" SCALE(x)
#define ADD_AND_STORE(x)                         \
  "ldrsb r12, [r1], #1\n\t"                      \
  "add " x ", r8, " x ", lsl #1\n\t"             \
  "add " x ", " x ", r12, lsl #20\n\t" SCALE(x)  \
  "ssat " x ", #8, " x "\n\t"                    \
  "strb " x ", [r3], #1\n\t"

// output[] up to `end`, four at a time; all four are read before one is written.
SPK_NAKED static void add_fours(const add_constants *constants, const int8_t *larger,
                                const int8_t *other, int8_t *output, const int8_t *end) {
  __asm__ volatile(
      "push {r4-r11, lr}\n\t"
      "ldr lr, [sp, #36]\n"
      "1:\n\t"
      "ldm r0, {r8-r11}\n\t"
      "ldrsb r4, [r2], #1\n\t"
      "ldrsb r5, [r2], #1\n\t"
      "ldrsb r6, [r2], #1\n\t"
      "ldrsb r7, [r2], #1\n\t"
      SCALE_OTHER("r4") SCALE_OTHER("r5") SCALE_OTHER("r6") SCALE_OTHER("r7")
      "ldrd r8, r9, [r0, #16]\n\t"
      "ldrd r10, r11, [r0, #24]\n\t"
      ADD_AND_STORE("r4") ADD_AND_STORE("r5") ADD_AND_STORE("r6") ADD_AND_STORE("r7")
      "cmp r3, lr\n\t"
      "bne 1b\n\t"
      "pop {r4-r11, pc}\n\t");
}
// clang-format on

#else

static void add_fours(const add_constants *constants, const int8_t *larger, const int8_t *other,
                      int8_t *output, const int8_t *end) {
  (void)constants, (void)larger, (void)other, (void)output, (void)end;
}

#endif

static int32_t is_larger(int32_t multiplier, int32_t shift) {
  return multiplier == kHalf && shift == 0;
}

static int32_t is_right(int32_t shift) { return shift < 0 && shift >= -kMostRight; }

// Whether the assembly computes it: a sum, saturated, of inputs of different scales.
static int32_t constants_of(const spk_add *p, add_constants *to) {
  const int32_t a_larger = is_larger(p->a_multiplier, p->a_shift);
  const int32_t multiplier = a_larger ? p->b_multiplier : p->a_multiplier;
  const int32_t shift = a_larger ? p->b_shift : p->a_shift;
  if (!SPK_ARMV7EM || (!a_larger && !is_larger(p->b_multiplier, p->b_shift))) return 0;
  if (p->left_shift != 20 || p->act_min != -128 || p->act_max != 127) return 0;
  if (multiplier <= 0 || !is_right(shift) || !is_right(p->output_shift)) return 0;
  const int32_t right = -p->output_shift;
  *to = (add_constants){
      .other_offset = (a_larger ? p->b_offset : p->a_offset) * (1 << 21),
      .other_multiplier = multiplier,
      .other_half = 1 << (-shift - 1),
      .other_right = -shift,
      .offset = (a_larger ? p->a_offset : p->b_offset) * (1 << 20),
      .multiplier = p->output_multiplier,
      .half = p->output_offset * (1 << right) + (1 << (right - 1)),
      .right = right,
  };
  return 1;
}

void spk_add_s8__armv7em(const spk_add *p, const int8_t *a, const int8_t *b, int8_t *output) {
  const int32_t fours = p->b_period & ~3;
  add_constants constants;
  if (fours == 0 || !constants_of(p, &constants)) {
    spk_add_s8__ref(p, a, b, output);
    return;
  }
  const int32_t a_larger = is_larger(p->a_multiplier, p->a_shift);
  spk_add rest = *p;
  rest.size = rest.b_period = p->b_period - fours;
  for (int32_t at = 0; at < p->size; at += p->b_period) {
    const int8_t *const x = a + at;
    int8_t *const y = output + at;
    add_fours(&constants, a_larger ? x : b, a_larger ? b : x, y, y + fours);
    if (rest.size > 0) spk_add_s8__ref(&rest, x + fours, b + fours, y + fours);
  }
}
