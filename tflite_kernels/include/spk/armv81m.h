// Convolution for Arm's vector extension MVE (Helium): Cortex-M55 and its like.
//
// A tile holds the inputs of eight output pixels. A group of sixteen weights is loaded once and
// meets the inputs of each pixel, gathered by one load; VMLADAVA adds the sixteen products to
// an accumulator in a general register, of which it takes the even ones: eight pixels.
// The assembly is written by hand, because compilers differ widely for MVE.
#ifndef SPK_ARMV81M_H_
#define SPK_ARMV81M_H_

#include <string.h>

#include "spk/requantize_s8.h"
#include "spk/types.h"

#if defined(__ARM_FEATURE_MVE) && defined(__GNUC__)
#define SPK_MVE       1
#define SPK_MVE_NAKED __attribute__((naked, noinline))
#else
#define SPK_MVE 0
#endif

#if SPK_MVE

SPK_INLINE void spk_copy_mve(int8_t *to, const int8_t *from, int32_t count) {
  __asm__ volatile(
      "wlstp.8 lr, %[count], 2f\n"
      "1: vldrb.u8 q0, [%[from]], #16\n\t"
      "vstrb.8 q0, [%[to]], #16\n\t"
      "letp lr, 1b\n"
      "2:"
      : [to] "+r"(to), [from] "+r"(from)
      : [count] "r"(count)
      : "lr", "d0", "d1", "cc", "memory");
}

#else

SPK_INLINE void spk_copy_mve(int8_t *to, const int8_t *from, int32_t count) {
  memcpy(to, from, (size_t)count);
}

#endif

enum { SPK_MVE_PIXELS = 8 };

// An output channel as the assembly reads it.
typedef struct spk_mve_channel {
  int32_t bias, multiplier;
  int32_t shift;  // negative: to the right
  int32_t more;   // how many channels of this kind follow it; -1 if it is of another kind
} spk_mve_channel;

// Where and how eight pixels of a channel end.
typedef struct spk_mve_end {
  uint16_t place[SPK_MVE_PIXELS];  // bytes behind the first pixel's, of pixels 0 4 1 5 2 6 3 7
  int32_t output_offset, act_min, act_max;
} spk_mve_end;

// Eight pixels of as many channels as are alike; returns the row that follows. Pixels of a
// tile in bytes are `stride` bytes apart; in a tile of words each column of four bytes has
// those of eight pixels side by side. The routines of the `floor` kind are for an output
// offset that is not above act_min.
typedef const uint8_t *spk_mve_rows(const int8_t *tile, int32_t stride, const uint8_t *lanes,
                                    const spk_mve_channel *channels, int8_t *output,
                                    const spk_mve_end *end);
spk_mve_rows spk_rows_s8_bytes__mve, spk_rows_s8_bytes_floor__mve;
spk_mve_rows spk_rows_s8_words__mve, spk_rows_s8_words_floor__mve;

// What the pixels of a tile read. With a block of 4, columns come by fours of eight pixels.
typedef struct spk_mve_tile {
  const spk_window2d *w;
  int8_t *nothing;               // a row of taps in the padding
  int8_t *bytes;                 // (pixels, columns)
  int32_t columns, row_columns;  // of all taps, and of a row of them
  int32_t block;
} spk_mve_tile;

static inline int32_t spk_mve_padded(int32_t bytes) { return (bytes + 15) & ~15; }

// Bytes of memory of a tile.
static inline size_t spk_mve_tile_bytes(const spk_window2d *w, int32_t pixels) {
  const int32_t row_columns = w->kernel_w * w->in_c;
  return (size_t)spk_mve_padded(row_columns) +
         (size_t)w->kernel_h * (size_t)row_columns * (size_t)pixels;
}

spk_mve_tile spk_mve_new_tile(const spk_window2d *w, int32_t block, int32_t zero_point,
                              void *memory);
void spk_pack_pixel_mve(const spk_mve_tile *t, int32_t p, const int8_t *input, int32_t pixel);

// Do the pixels lie in the input as in a tile of block 1?
static inline int spk_mve_is_pointwise(const spk_window2d *w) {
  return w->kernel_h * w->kernel_w * w->stride_h * w->stride_w == 1 && w->out_h == w->in_h &&
         w->out_w == w->in_w;
}

// A convolution over lanes_s8 of a `block`, for which `rows` and `floor_rows` are.
typedef struct spk_mve_job {
  const spk_window2d *w;
  const spk_requant *q;
  const uint8_t *lanes;
  const int32_t *bias;
  int32_t block;
  spk_mve_rows *rows, *floor_rows;
} spk_mve_job;

void spk_conv_lanes_mve(const spk_mve_job *job, const int8_t *input, int8_t *output,
                        void *scratch);

// ---- Pieces of the assembly routines.
//
// Their frame of 112 bytes: 0 channels, 4 output, 12 d8-d15, 76 r4-r11 and lr; behind it the
// arguments on the stack. r1 is the stream, r3 the tile; q4 to q7 are act_max, act_min, output
// offset and places.
// clang-format off
#define SPK_MVE_ENTER                            \
  "sub sp, sp, #112\n\t"                         \
  "add r12, sp, #76\n\t"                         \
  "stm r12, {r4-r11, lr}\n\t"                    \
  "add r12, sp, #12\n\t"                         \
  "vstmia r12, {d8-d15}\n\t"                     \
  "ldrd r10, r12, [sp, #112]\n\t"                \
  "strd r3, r10, [sp]\n\t"                       \
  "vldrh.u16 q7, [r12]\n\t"                      \
  "ldr r4, [r12, #16]\n\t"                       \
  "vdup.16 q6, r4\n\t"                           \
  "ldr r4, [r12, #20]\n\t"                       \
  "vdup.16 q5, r4\n\t"                           \
  "ldr r4, [r12, #24]\n\t"                       \
  "vdup.16 q4, r4\n\t"                           \
  "mov r7, r1\n\t"                               \
  "mov r3, r0\n\t"                               \
  "mov r1, r2\n\t"
#define SPK_MVE_LEAVE                            \
  "mov r0, r1\n\t"                               \
  "add r12, sp, #12\n\t"                         \
  "vldmia r12, {d8-d15}\n\t"                     \
  "add r12, sp, #76\n\t"                         \
  "ldm r12, {r4-r11, lr}\n\t"                    \
  "add sp, sp, #112\n\t"                         \
  "bx lr\n\t"                                    \
  ".balign 4\n\t"                                \
  "99:\n\t"                                      \
  ".word 0, 0, 0, 0, 0, 0, 0, 0\n\t"

// r11 is the count of groups; the accumulators are zero.
#define SPK_MVE_BEGIN_ROW                        \
  "ldrh r11, [r1], #2\n\t"                       \
  "adr.w r9, 99f\n\t"                            \
  "ldm r9, {r0, r2, r4, r6, r8, r10, r12, lr}\n\t"

// Scales eight accumulators, q0 those of pixels 0 to 3 and q1 of 4 to 7, and stores them.
#define SPK_MVE_NUDGE                            \
  "vshr.s32 q2, q0, #31\n\t"                     \
  "vadd.i32 q0, q0, q2\n\t"                      \
  "vshr.s32 q2, q1, #31\n\t"                     \
  "vadd.i32 q1, q1, q2\n\t"
#define SPK_MVE_END_ROW(nudge)                   \
  "vmov q0[2], q0[0], r0, r4\n\t"                \
  "vmov q0[3], q0[1], r2, r6\n\t"                \
  "vmov q1[2], q1[0], r8, r12\n\t"               \
  "vmov q1[3], q1[1], r10, lr\n\t"               \
  "ldrd r9, r11, [sp]\n\t"                       \
  "ldm r9!, {r0, r2, r4, r6}\n\t"                \
  "add r8, r11, #1\n\t"                          \
  "strd r9, r8, [sp]\n\t"                        \
  "vadd.i32 q0, q0, r0\n\t"                      \
  "vadd.i32 q1, q1, r0\n\t"                      \
  "vqrdmulh.s32 q0, q0, r2\n\t"                  \
  "vqrdmulh.s32 q1, q1, r2\n\t"                  \
  nudge                                          \
  "vrshl.s32 q0, r4\n\t"                         \
  "vrshl.s32 q1, r4\n\t"                         \
  "vqmovnb.s32 q2, q0\n\t"                       \
  "vqmovnt.s32 q2, q1\n\t"                       \
  "vqadd.s16 q2, q2, q6\n\t"                     \
  "vmax.s16 q2, q2, q5\n\t"                      \
  "vmin.s16 q2, q2, q4\n\t"                      \
  "vstrb.16 q2, [r11, q7]\n\t"                   \
  "cmp r6, #0\n\t"                               \
  "bgt.w 10b\n\t"
// clang-format on

#endif  // SPK_ARMV81M_H_
