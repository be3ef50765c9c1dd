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

// The routines read 22 bits of the low lane, a bit less than spk/tile_s8.h: the bit above is
// 0, so that one shift doubles a sum of the high lane and takes its lowest bits out of the
// other word. Accumulators start at SPK_NARROW_EMPTY, and a run without a promise is 64
// weights: 64 * 128 * 255 < 2^21.
enum { SPK_NARROW_EMPTY = 1 << 21, SPK_NARROW_RUN = 64 };
static inline int32_t spk_narrow_run(const spk_requant *q) {
  return q->lane_run > SPK_NARROW_RUN ? q->lane_run : SPK_NARROW_RUN;
}

// An output channel as the routines read it. They scale a sum with one rounding
// multiplication, one shift and one saturation; channels that need more, or clamp to
// another range, are left to spk/tile_s8.h.
typedef struct spk_channel {
  int32_t low;   // the bias less SPK_NARROW_EMPTY, 9 bits to the left
  int32_t high;  // twice the bias
  int32_t multiplier;
  int32_t offset;      // the output offset, and a half for rounding, before the right shift
  int32_t low_offset;  // the same for sums that are 8 bits further left, to be rounded down
  int32_t path;        // where the routines scale it, and in bit 0 whether `alike` is 1
  int32_t right;       // 1 to 22
  int32_t alike;       // how many channels from here on are of this kind; 0 if this one is not
} spk_channel;

// Shifts that have instructions of their own, of so many bytes each, where the output offset
// is -128; all other channels are scaled behind them.
enum { SPK_FIRST_SHIFT = 5, SPK_LAST_SHIFT = 12, SPK_SHIFT_BYTES = 66 };

// Prepares all channels; `terms` products make a sum, biases are below `most_bias`. Of a
// convolution that is SPK_NARROW_EMPTY, and the routines below read the channels; others do
// without `low`, `low_offset` and `path`.
void spk_channels_armv7em(const spk_requant *q, const int32_t *bias, int32_t channels,
                          int32_t terms, int32_t most_bias, spk_channel *out);

// Multiplies a tile by the rows of weights of all channels alike, stores eight pixels of each,
// and returns the rows that follow. Lanes are emptied after `run` weights.
const uint8_t *spk_rows_s8_stream__armv7em(const int32_t *tile, int32_t run,
                                           const uint8_t *stream, const spk_channel *channels,
                                           int8_t *output, int32_t out_c);
const int8_t *spk_rows_s8_dense__armv7em(const int32_t *tile, int32_t run,
                                         const int8_t *weights, const spk_channel *channels,
                                         int8_t *output, int32_t out_c, int32_t columns);
// The same for groups of 4 or 8 columns with one weight each (groups_s8 of spk/formats.h): of a
// row, `units` bytes of units and `rest` weights of a last one; lanes are emptied after `most`
// bytes of units. The tile is aligned to a group of columns.
typedef const uint8_t *spk_rows_s8_groups(const int32_t *tile, int32_t most,
                                          const uint8_t *groups, const spk_channel *channels,
                                          int8_t *output, int32_t out_c, int32_t units,
                                          int32_t rest);
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
// Their frame of 128 bytes, after which come the arguments on the stack:
//    0 tile            4 SPK_NARROW_EMPTY in all lanes   36 length of all rows, or `run`
//   40 run            44 channel      48 output          52 out_c
//   56 what is left of a long row     60 its 8 sums      92 r4-r11, lr
// Accumulators are r2:r3 to r8:r9; r0 is the column of the tile, r1 the weights.
// clang-format off
#define SPK_ENTER                                \
  "sub sp, sp, #128\n\t"                         \
  "add r12, sp, #92\n\t"                         \
  "stm r12, {r4-r11, lr}\n\t"                    \
  "mov r4, #0x200000\n\t"                        \
  "mov r5, #0\n\t"                               \
  "strd r4, r5, [sp, #4]\n\t"                    \
  "strd r4, r5, [sp, #12]\n\t"                   \
  "strd r4, r5, [sp, #20]\n\t"                   \
  "strd r4, r5, [sp, #28]\n\t"                   \
  "str r0, [sp]\n\t"                             \
  "strd r1, r3, [sp, #40]\n\t"                   \
  "ldrd r4, r5, [sp, #128]\n\t"                  \
  "strd r4, r5, [sp, #48]\n\t"                   \
  "mov r1, r2\n\t"
#define SPK_LEAVE                                \
  "mov r0, r1\n\t"                               \
  "add r12, sp, #92\n\t"                         \
  "ldm r12, {r4-r11, lr}\n\t"                    \
  "add sp, sp, #128\n\t"                         \
  "bx lr\n\t"

// Empties the lanes; the first of a row sets r0 too.
#define SPK_EMPTY_LANES                          \
  "add r12, sp, #4\n\t"                          \
  "ldm r12, {r2-r9}\n\t"

// Adds r12 times the four words at `first` and `second`.
#define SPK_MULTIPLY_ACCUMULATE(first, second)   \
  "ldrd r10, r11, " first "\n\t"                 \
  "smlal r2, r3, r10, r12\n\t"                   \
  "smlal r4, r5, r11, r12\n\t"                   \
  "ldrd r10, r11, " second "\n\t"                \
  "smlal r6, r7, r10, r12\n\t"                   \
  "smlal r8, r9, r11, r12\n\t"

// What the channel at lr needs: r0 low, r10 high, r11 multiplier, r12 offset; then r0 low_offset
// and r10 where to go on, and the carry tells whether it is the last one. lr moves on.
#define SPK_FIND_CHANNEL "ldr lr, [sp, #44]\n\t"
#define SPK_LOAD_CHANNEL "ldm lr!, {r0, r10, r11, r12}\n\t"
#define SPK_LOAD_PATH                            \
  "ldrd r0, r10, [lr], #16\n\t"                  \
  "lsrs r10, r10, #1\n\t"

// Two lanes as sums with their bias: of the high one doubled, of the low one times 2^9.
#define SPK_SPLIT_AND_BIAS(lo, hi)               \
  "add " hi ", r10, " hi ", lsl #10\n\t"         \
  "add " hi ", " hi ", " lo ", lsr #22\n\t"      \
  "add " lo ", r0, " lo ", lsl #9\n\t"

// Sums to int8, where the output offset is -128: a negative one gives -128 however it is
// rounded. Shifts of 5 to 12 bits are part of the saturation.
#define SPK_LOW_ABOVE_FLOOR(sum)  "smmla " sum ", " sum ", r11, r0\n\t"
#define SPK_HIGH_ABOVE_FLOOR(sum) "smmlar " sum ", " sum ", r11, r12\n\t"
#define SPK_SATURATE(sum, right) \
  "ssat " sum ", #8, " sum ", asr #" right "\n\t"
#define SPK_SCALE_ABOVE_FLOOR(right)                                              \
  SPK_LOW_ABOVE_FLOOR("r2") SPK_HIGH_ABOVE_FLOOR("r3")                            \
  SPK_LOW_ABOVE_FLOOR("r4") SPK_HIGH_ABOVE_FLOOR("r5")                            \
  SPK_LOW_ABOVE_FLOOR("r6") SPK_HIGH_ABOVE_FLOOR("r7")                            \
  SPK_LOW_ABOVE_FLOOR("r8") SPK_HIGH_ABOVE_FLOOR("r9")                            \
  SPK_SATURATE("r2", right " + 8") SPK_SATURATE("r3", right)                      \
  SPK_SATURATE("r4", right " + 8") SPK_SATURATE("r5", right)                      \
  SPK_SATURATE("r6", right " + 8") SPK_SATURATE("r7", right)                      \
  SPK_SATURATE("r8", right " + 8") SPK_SATURATE("r9", right)                      \
  "b.n 22f\n\t"

// A doubled sum, any shift and offset. A negative sum is a unit lower before it is shifted: ties
// go away from zero. (Where its product rounds to 0 that changes nothing.)
#define SPK_SCALE(sum)                           \
  "add r10, r12, " sum ", asr #31\n\t"           \
  "smmlar " sum ", " sum ", r11, r10\n\t"        \
  "asr " sum ", " sum ", r0\n\t"                 \
  "ssat " sum ", #8, " sum "\n\t"

// The lanes as sums of the channel at lr.
#define SPK_FINISH_SUMS                          \
  SPK_LOAD_CHANNEL                               \
  SPK_SPLIT_AND_BIAS("r2", "r3")                 \
  SPK_SPLIT_AND_BIAS("r4", "r5")                 \
  SPK_SPLIT_AND_BIAS("r6", "r7")                 \
  SPK_SPLIT_AND_BIAS("r8", "r9")                 \
  SPK_LOAD_PATH

// Scales them by the path of the channel. That is 528 bytes, which only the sparse stream has:
// without it, sums go straight on.
#define SPK_SCALE_BY_PATH                        \
  "add pc, r10\n\t"                              \
  "nop\n\t"                                      \
  SPK_SCALE_ABOVE_FLOOR("5")                     \
  SPK_SCALE_ABOVE_FLOOR("6")                     \
  SPK_SCALE_ABOVE_FLOOR("7")                     \
  SPK_SCALE_ABOVE_FLOOR("8")                     \
  SPK_SCALE_ABOVE_FLOOR("9")                     \
  SPK_SCALE_ABOVE_FLOOR("10")                    \
  SPK_SCALE_ABOVE_FLOOR("11")                    \
  SPK_SCALE_ABOVE_FLOOR("12")

// Scales sums, stores eight pixels `out_c` apart, and goes on with label 10 but for the last
// channel. Sums that are doubled already join at label 25, those that are scaled at label 22.
#define SPK_SCALE_AND_STORE                      \
  "asr r2, r2, #8\n\t"                           \
  "asr r4, r4, #8\n\t"                           \
  "asr r6, r6, #8\n\t"                           \
  "asr r8, r8, #8\n\t"                           \
  "25:\n\t"                                      \
  "ldr r0, [lr, #-8]\n\t"                        \
  SPK_SCALE("r2") SPK_SCALE("r3")                \
  SPK_SCALE("r4") SPK_SCALE("r5")                \
  SPK_SCALE("r6") SPK_SCALE("r7")                \
  SPK_SCALE("r8") SPK_SCALE("r9")                \
  "22:\n\t"                                      \
  "ldrd r10, r0, [sp, #48]\n\t"                  \
  "add r11, r10, r0, lsl #2\n\t"                 \
  "add r12, r0, r0, lsl #1\n\t"                  \
  "strb r4, [r10, r0]\n\t"                       \
  "strb r6, [r10, r0, lsl #1]\n\t"               \
  "strb r8, [r10, r12]\n\t"                      \
  "strb r2, [r10], #1\n\t"                       \
  "strb r3, [r11]\n\t"                           \
  "strb r5, [r11, r0]\n\t"                       \
  "strb r7, [r11, r0, lsl #1]\n\t"               \
  "strb r9, [r11, r12]\n\t"                      \
  "strd lr, r10, [sp, #44]\n\t"                  \
  "bcc.w 10b\n\t"                                \
  SPK_LEAVE

// Rows of several runs: r10 is the length of the next one.
#define SPK_NEXT_RUN                             \
  "ldr r12, [sp, #56]\n\t"                       \
  "ldr r10, [sp, #40]\n\t"                       \
  "cmp r10, r12\n\t"                             \
  "it hi\n\t"                                    \
  "movhi r10, r12\n\t"                           \
  "sub r12, r12, r10\n\t"                        \
  "str r12, [sp, #56]\n\t"
#define SPK_CLEAR_SUMS                           \
  "mov r2, #0\n\t"                               \
  "mov r3, #0\n\t"                               \
  "strd r2, r3, [sp, #60]\n\t"                   \
  "strd r2, r3, [sp, #68]\n\t"                   \
  "strd r2, r3, [sp, #76]\n\t"                   \
  "strd r2, r3, [sp, #84]\n\t"
#define SPK_SPILL(lo, hi, place)                 \
  "lsl " hi ", " hi ", #9\n\t"                   \
  "orr " hi ", " hi ", " lo ", lsr #23\n\t"      \
  "ubfx " lo ", " lo ", #0, #22\n\t"             \
  "sub " lo ", " lo ", #0x200000\n\t"            \
  "ldrd r10, r11, [sp, #" place "]\n\t"          \
  "add r10, r10, " lo "\n\t"                     \
  "add r11, r11, " hi "\n\t"                     \
  "strd r10, r11, [sp, #" place "]\n\t"
#define SPK_SPILL_LANES                                   \
  SPK_SPILL("r2", "r3", "60") SPK_SPILL("r4", "r5", "68") \
  SPK_SPILL("r6", "r7", "76") SPK_SPILL("r8", "r9", "84")
#define SPK_DOUBLE_AND_BIAS(sum) "add " sum ", r10, " sum ", lsl #1\n\t"
#define SPK_FINISH_SPILLED_SUMS                         \
  SPK_FIND_CHANNEL                                      \
  SPK_LOAD_CHANNEL                                      \
  "add r0, sp, #60\n\t"                                 \
  "ldm r0, {r2-r9}\n\t"                                 \
  SPK_DOUBLE_AND_BIAS("r2") SPK_DOUBLE_AND_BIAS("r3")   \
  SPK_DOUBLE_AND_BIAS("r4") SPK_DOUBLE_AND_BIAS("r5")   \
  SPK_DOUBLE_AND_BIAS("r6") SPK_DOUBLE_AND_BIAS("r7")   \
  SPK_DOUBLE_AND_BIAS("r8") SPK_DOUBLE_AND_BIAS("r9")   \
  SPK_LOAD_PATH                                         \
  "b.w 25b\n\t"
// clang-format on

#endif  // SPK_ARMV7EM_H_
