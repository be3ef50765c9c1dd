// One row of a sparse stream over a tile of pixels (see spk/tile_s8.h).
#include "spk/tile_s8.h"

// run_pairs: one run of pairs; returns where it ended in the tile.
#if defined(__ARM_ARCH_6M__) && defined(__GNUC__)

#pragma GCC diagnostic ignored "-Wunused-parameter"  // the assembly finds them in registers

// clang-format off
// 15 instructions, 30 bytes, for four products: r0 is the stream, r2 the column of the tile, r1
// is one, and the accumulators are r8 to r11.
#define PAIR                                     \
  "ldrb r3, [r0]\n\t"                            \
  "lsls r3, r3, #4\n\t"                          \
  "adds r2, r2, r3\n\t"                          \
  "ldrsb r3, [r0, r1]\n\t"                       \
  "adds r0, #2\n\t"                              \
  "ldmia r2!, {r4-r7}\n\t"                       \
  "muls r4, r3\n\t"                              \
  "add r8, r4\n\t"                               \
  "muls r5, r3\n\t"                              \
  "add r9, r5\n\t"                               \
  "muls r6, r3\n\t"                              \
  "add r10, r6\n\t"                              \
  "muls r7, r3\n\t"                              \
  "add r11, r7\n\t"                              \
  "subs r2, #16\n\t"

// The loop of eight pairs is entered so that what is left over comes first.
__attribute__((naked, noinline)) static const int32_t *run_pairs(
    const uint8_t *stream, int32_t pairs, const int32_t *x, spk_lanes out[SPK_TILE_WORDS]) {
  __asm__ volatile(
      ".syntax unified\n\t"
      "push {r3-r7, lr}\n\t"
      "mov r4, r8\n\t"
      "mov r5, r9\n\t"
      "mov r6, r10\n\t"
      "mov r7, r11\n\t"
      "push {r4-r7}\n\t"
      "movs r4, #0\n\t"
      "mov r8, r4\n\t"
      "mov r9, r4\n\t"
      "mov r10, r4\n\t"
      "mov r11, r4\n\t"
      "lsls r3, r1, #1\n\t"
      "adds r3, r3, r0\n\t"
      "mov lr, r3\n\t"
      "movs r3, #7\n\t"
      "ands r3, r1\n\t"
      "movs r4, #30\n\t"
      "muls r3, r4\n\t"
      "adr r4, 2f\n\t"
      "subs r4, r4, r3\n\t"
      "adds r4, #1\n\t"  // for Thumb
      "movs r1, #1\n\t"
      "bx r4\n\t"
      ".balign 4\n\t"
      "1:\n\t"
      PAIR PAIR PAIR PAIR PAIR PAIR PAIR PAIR
      "2:\n\t"
      "cmp r0, lr\n\t"
      "bne 1b\n\t"
      "ldr r3, [sp, #16]\n\t"
      "mov r4, r8\n\t"
      "mov r5, r9\n\t"
      "mov r6, r10\n\t"
      "mov r7, r11\n\t"
      "stmia r3!, {r4-r7}\n\t"
      "mov r0, r2\n\t"
      "pop {r4-r7}\n\t"
      "mov r8, r4\n\t"
      "mov r9, r5\n\t"
      "mov r10, r6\n\t"
      "mov r11, r7\n\t"
      "pop {r3-r7, pc}\n\t");
}
// clang-format on

#else

SPK_NOINLINE const int32_t *run_pairs(const uint8_t *restrict stream, int32_t pairs,
                                      const int32_t *restrict x,
                                      spk_lanes out[SPK_TILE_WORDS]) {
  spk_lanes a0 = SPK_LANES_EMPTY, a1 = SPK_LANES_EMPTY;
  spk_lanes a2 = SPK_LANES_EMPTY, a3 = SPK_LANES_EMPTY;
  for (const uint8_t *end = stream + 2 * pairs; stream < end; stream += 2) {
    x += stream[0] * SPK_TILE_WORDS;
    SPK_TILE_MULTIPLY(a0, a1, a2, a3, (int8_t)stream[1], x);
  }
  out[0] = a0;
  out[1] = a1;
  out[2] = a2;
  out[3] = a3;
  return x;
}

#endif

static void long_row(const spk_requant *q, const int32_t *tile, const uint8_t *stream,
                     int32_t pairs, const spk_tile_end *end) {
  int32_t sums[SPK_TILE_PIXELS];
  for (int32_t i = 0; i < SPK_TILE_PIXELS; ++i) sums[i] = end->bias;
  for (const int32_t most = spk_tile_s8_run(q); pairs > 0; pairs -= most, stream += 2 * most) {
    spk_lanes acc[SPK_TILE_WORDS];
    tile = run_pairs(stream, pairs < most ? pairs : most, tile, acc);
    spk_tile_s8_empty(acc, sums);
  }
  spk_tile_s8_store_sums(sums, q, end);
}

const uint8_t *spk_tile_s8_stream_row(const spk_requant *q, const int32_t *tile,
                                      const uint8_t *stream, const spk_tile_end *end) {
  const int32_t pairs = stream[0] | stream[1] << 8;
  stream += 2;
  if (pairs > spk_tile_s8_run(q)) {
    long_row(q, tile, stream, pairs, end);
  } else {
    spk_lanes acc[SPK_TILE_WORDS];
    run_pairs(stream, pairs, tile, acc);
    spk_tile_s8_store(acc, q, end);
  }
  return stream + 2 * pairs;
}
