// Convolution on Arm cores with the DSP extension: Cortex-M4, M7, M33 and their like.
//
// A tile (see spk/tile_s8.h) meets many output channels in one call of an assembly
// routine. Eight accumulators fill eight of the fourteen registers, so the loops are
// written by hand; everything that is not a loop over pairs, weights or pixels is C.
// On other machines the kernels of this folder call their portable twins.
#ifndef SPK_ARMV7EM_H_
#define SPK_ARMV7EM_H_

#include "spk/tile_s8.h"
#include "spk/types.h"

#if defined(__ARM_FEATURE_DSP) && defined(__thumb2__) && defined(__GNUC__)
#define SPK_ARMV7EM 1
#define SPK_NAKED   __attribute__((naked, noinline))
#else
#define SPK_ARMV7EM 0
#endif

// An output channel as the routines read it. They scale a sum with one rounding
// multiplication, one shift and one saturation; channels that need more, or clamp to
// another range, are left to spk/tile_s8.h.
typedef struct spk_channel {
  int32_t low;   // twice the bias, less twice SPK_LANES_EMPTY
  int32_t high;  // twice the bias
  int32_t multiplier;
  int32_t offset;  // the output offset, and a half for rounding, before the right shift
  int32_t right;   // 1 to 22
  int32_t alike;   // how many channels from here on are of this kind; 0 if this one is not
} spk_channel;

// Prepares all channels; `terms` products make a sum.
void spk_channels_armv7em(const spk_requant *q, const int32_t *bias, int32_t channels,
                          int32_t terms, spk_channel *out);

// Multiplies a tile by rows of weights up to the channel `end` of the first pixel, stores
// eight pixels of each, and returns the rows that follow. Lanes are emptied after `run`
// weights; `is_floor` tells that the output offset is -128.
const uint8_t *spk_rows_s8_stream__armv7em(const int32_t *tile, int32_t run,
                                           const uint8_t *stream, const spk_channel *channels,
                                           int8_t *output, int32_t out_c, const int8_t *end,
                                           int32_t is_floor);
const int8_t *spk_rows_s8_dense__armv7em(const int32_t *tile, int32_t run,
                                         const int8_t *weights, const spk_channel *channels,
                                         int8_t *output, int32_t out_c, const int8_t *end,
                                         int32_t is_floor, int32_t columns);
// The same for groups of 4 or 8 columns with one weight each (groups_s8 of spk/formats.h): of a
// row, `units` bytes of units and `rest` weights of a last one; lanes are emptied after `most`
// bytes of units. The tile is aligned to a group of columns.
typedef const uint8_t *spk_rows_s8_groups(const int32_t *tile, int32_t most,
                                          const uint8_t *groups, const spk_channel *channels,
                                          int8_t *output, int32_t out_c, const int8_t *end,
                                          int32_t is_floor, int32_t units, int32_t rest);
spk_rows_s8_groups spk_rows_s8_groups4__armv7em, spk_rows_s8_groups8__armv7em;

// words[4 * c] and words[4 * c + 1] of a tile: pixels of `low0` and `low1` in the low lanes,
// of `high0` and `high1` in the high ones; `both` is the input offset in both lanes.
void spk_pack_two__armv7em(const int8_t *low0, const int8_t *high0, const int8_t *low1,
                           const int8_t *high1, int32_t both, int32_t channels, int32_t *words);
// Four words of each channel: three are the later three of `from`, one is new.
void spk_pack_next__armv7em(const int8_t *low, const int8_t *high, int32_t both,
                            int32_t channels, const int32_t *from, int32_t *words);
// Copies columns of four words to a lower place.
void spk_move_columns__armv7em(const int32_t *from, int32_t *to, int32_t columns);

// Packs tile after tile of a convolution and gives each to `multiply`.
typedef struct spk_conv_job {
  const spk_window2d *w;
  const spk_requant *q;
  const void *weights;
  const int32_t *bias;
  spk_channel *channels;  // (out_c)
  int32_t count;          // pixels in a tile: SPK_TILE_PIXELS, or all of a smaller output
  int32_t group;          // columns to which the tile is aligned, where that matters; else 1
  void (*multiply)(const struct spk_conv_job *job, const int32_t *tile, int8_t *output);
} spk_conv_job;

void spk_conv_tiles_armv7em(spk_conv_job *job, const int8_t *input, int8_t *output,
                            void *scratch);
size_t spk_conv_tiles_armv7em_scratch(const spk_window2d *w);

// ---- Pieces of the assembly routines.
//
// Their frame of 88 bytes, after which come the arguments on the stack:
//    0 tile           8 channels                       16 sums of a long row, 8 words
//    4 run           12 what is left of a long row     48 where lanes are scaled
//   52 r4-r11, lr    88 output, out_c, end, is_floor, columns
// Accumulators are r2:r3 to r8:r9; r0 is the column of the tile, r1 the weights.
// clang-format off
#define SPK_ENTER                                \
  "add r12, sp, #52\n\t"                         \
  "stm r12, {r4-r11, lr}\n\t"                    \
  "strd r0, r1, [sp]\n\t"                        \
  "str r3, [sp, #8]\n\t"                         \
  "mov r1, r2\n\t"                               \
  "adr.w r0, 20f\n\t"                            \
  "adr.w r12, 21f\n\t"                           \
  "ldr r2, [sp, #100]\n\t"                       \
  "cmp r2, #0\n\t"                               \
  "it ne\n\t"                                    \
  "movne r0, r12\n\t"                            \
  "orr r0, r0, #1\n\t"                           \
  "str r0, [sp, #48]\n\t"
#define SPK_LEAVE                                \
  "mov r0, r1\n\t"                               \
  "add r12, sp, #52\n\t"                         \
  "ldm r12, {r4-r11, lr}\n\t"                    \
  "add sp, sp, #88\n\t"                          \
  "bx lr\n\t"                                    \
  ".balign 4\n\t"                                \
  "99:\n\t"                                      \
  ".word 0x400000, 0, 0x400000, 0, 0x400000, 0, 0x400000, 0\n\t"

// Fills all lanes with SPK_LANES_EMPTY.
#define SPK_EMPTY_LANES(constants)               \
  "adr.w r12, " constants "\n\t"                 \
  "ldm r12, {r2-r9}\n\t"

// Adds r12 times the four words at `first` and `second`.
#define SPK_MULTIPLY_ACCUMULATE(first, second)   \
  "ldrd r10, r11, " first "\n\t"                 \
  "smlal r2, r3, r10, r12\n\t"                   \
  "smlal r4, r5, r11, r12\n\t"                   \
  "ldrd r10, r11, " second "\n\t"                \
  "smlal r6, r7, r10, r12\n\t"                   \
  "smlal r8, r9, r11, r12\n\t"

// What the next channel needs: r0 low, r10 high, r11 multiplier, r12 offset, lr right.
#define SPK_LOAD_CHANNEL                         \
  "ldr lr, [sp, #8]\n\t"                         \
  "add r0, lr, #24\n\t"                          \
  "str r0, [sp, #8]\n\t"                         \
  "ldm lr, {r0, r10, r11, r12, lr}\n\t"

// Two lanes as sums: of the low one, SPK_LANES_EMPTY too much.
#define SPK_SPLIT(lo, hi)                        \
  "lsl " hi ", " hi ", #9\n\t"                   \
  "orr " hi ", " hi ", " lo ", lsr #23\n\t"      \
  "ubfx " lo ", " lo ", #0, #23\n\t"

// The same with the bias, doubled.
#define SPK_SPLIT_AND_BIAS(lo, hi)               \
  SPK_SPLIT(lo, hi)                              \
  "add " hi ", r10, " hi ", lsl #1\n\t"          \
  "add " lo ", r0, " lo ", lsl #1\n\t"
#define SPK_FINISH_SUMS                                           \
  SPK_SPLIT_AND_BIAS("r2", "r3") SPK_SPLIT_AND_BIAS("r4", "r5")   \
  SPK_SPLIT_AND_BIAS("r6", "r7") SPK_SPLIT_AND_BIAS("r8", "r9")   \
  "ldr pc, [sp, #48]\n\t"

// Two doubled sums to int8. A negative sum is a unit lower before it is shifted: ties go
// away from zero. (Where its product rounds to 0 that changes nothing.)
#define SPK_SCALE(a, b)                          \
  "add r0, r12, " a ", asr #31\n\t"              \
  "add r10, r12, " b ", asr #31\n\t"             \
  "smmlar " a ", " a ", r11, r0\n\t"             \
  "smmlar " b ", " b ", r11, r10\n\t"            \
  "asr " a ", " a ", lr\n\t"                     \
  "asr " b ", " b ", lr\n\t"                     \
  "ssat " a ", #8, " a "\n\t"                    \
  "ssat " b ", #8, " b "\n\t"
// Where the output offset is -128, a negative sum gives -128 however it is rounded.
#define SPK_SCALE_ABOVE_FLOOR(a, b)              \
  "smmlar " a ", " a ", r11, r12\n\t"            \
  "smmlar " b ", " b ", r11, r12\n\t"            \
  "asr " a ", " a ", lr\n\t"                     \
  "asr " b ", " b ", lr\n\t"                     \
  "ssat " a ", #8, " a "\n\t"                    \
  "ssat " b ", #8, " b "\n\t"
#define SPK_SCALE_LANES                                                   \
  "21:\n\t"                                                               \
  SPK_SCALE_ABOVE_FLOOR("r2", "r3") SPK_SCALE_ABOVE_FLOOR("r4", "r5")     \
  SPK_SCALE_ABOVE_FLOOR("r6", "r7") SPK_SCALE_ABOVE_FLOOR("r8", "r9")     \
  "b.n 22f\n\t"                                                           \
  "20:\n\t"                                                               \
  SPK_SCALE("r2", "r3") SPK_SCALE("r4", "r5")                             \
  SPK_SCALE("r6", "r7") SPK_SCALE("r8", "r9")                             \
  "22:\n\t"

// Stores eight pixels, `out_c` apart; flags tell whether this was the last channel.
#define SPK_STORE_PIXELS                         \
  "ldr r10, [sp, #88]\n\t"                       \
  "ldrd r0, lr, [sp, #92]\n\t"                   \
  "add r11, r10, r0, lsl #2\n\t"                 \
  "add r12, r0, r0, lsl #1\n\t"                  \
  "strb r2, [r10]\n\t"                           \
  "strb r4, [r10, r0]\n\t"                       \
  "strb r6, [r10, r0, lsl #1]\n\t"               \
  "strb r8, [r10, r12]\n\t"                      \
  "strb r3, [r11]\n\t"                           \
  "strb r5, [r11, r0]\n\t"                       \
  "strb r7, [r11, r0, lsl #1]\n\t"               \
  "strb r9, [r11, r12]\n\t"                      \
  "add r10, r10, #1\n\t"                         \
  "str r10, [sp, #88]\n\t"                       \
  "cmp r10, lr\n\t"

// Rows of several runs: r10 is the length of the next one.
#define SPK_NEXT_RUN                             \
  "ldr r12, [sp, #12]\n\t"                       \
  "ldr r10, [sp, #4]\n\t"                        \
  "cmp r10, r12\n\t"                             \
  "it hi\n\t"                                    \
  "movhi r10, r12\n\t"                           \
  "sub r12, r12, r10\n\t"                        \
  "str r12, [sp, #12]\n\t"
#define SPK_CLEAR_SUMS                           \
  "mov r2, #0\n\t"                               \
  "mov r3, #0\n\t"                               \
  "strd r2, r3, [sp, #16]\n\t"                   \
  "strd r2, r3, [sp, #24]\n\t"                   \
  "strd r2, r3, [sp, #32]\n\t"                   \
  "strd r2, r3, [sp, #40]\n\t"
#define SPK_SPILL(lo, hi, place)                 \
  SPK_SPLIT(lo, hi)                              \
  "sub " lo ", " lo ", #0x400000\n\t"            \
  "ldrd r10, r11, [sp, #" place "]\n\t"          \
  "add r10, r10, " lo "\n\t"                     \
  "add r11, r11, " hi "\n\t"                     \
  "strd r10, r11, [sp, #" place "]\n\t"
#define SPK_SPILL_LANES                                   \
  SPK_SPILL("r2", "r3", "16") SPK_SPILL("r4", "r5", "24") \
  SPK_SPILL("r6", "r7", "32") SPK_SPILL("r8", "r9", "40")
#define SPK_DOUBLE_AND_BIAS(sum) "add " sum ", r10, " sum ", lsl #1\n\t"
#define SPK_FINISH_SPILLED_SUMS                         \
  SPK_LOAD_CHANNEL                                      \
  "add r0, sp, #16\n\t"                                 \
  "ldm r0, {r2-r9}\n\t"                                 \
  SPK_DOUBLE_AND_BIAS("r2") SPK_DOUBLE_AND_BIAS("r3")   \
  SPK_DOUBLE_AND_BIAS("r4") SPK_DOUBLE_AND_BIAS("r5")   \
  SPK_DOUBLE_AND_BIAS("r6") SPK_DOUBLE_AND_BIAS("r7")   \
  SPK_DOUBLE_AND_BIAS("r8") SPK_DOUBLE_AND_BIAS("r9")   \
  "ldr pc, [sp, #48]\n\t"
// clang-format on

#endif  // SPK_ARMV7EM_H_
