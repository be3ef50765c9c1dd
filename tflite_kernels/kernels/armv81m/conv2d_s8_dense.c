// CONV_2D, int8, dense, for MVE: three pixels and two channels share every load, five for six
// VMLADAVAs. The loop's tail is predicated, so that weights and pixels lie as they are.
#include <string.h>

#include "spk/armv81m.h"
#include "spk/kernels_s8.h"

enum { kPixels = 3, kChannels = 64 };  // of a tile, and of the sums that wait to be scaled

// As the assembly reads it.
typedef struct pair_job {
  const int32_t *bias;
  const int8_t *weights, *pixels;
  int32_t stride;  // bytes between pixels
  int32_t *sums;   // (kPixels, kChannels), from the first channel on
  int32_t pairs;   // of channels
} pair_job;

#if SPK_MVE

#pragma GCC diagnostic ignored "-Wunused-parameter"  // the assembly finds them in registers

// clang-format off
// r11 are the columns, the frame holds the job: 0 bias, 4 weights, 8 pixels, 12 stride, 16 sums,
// 20 pairs. Pixels are r1, r3 and r5, channels r7 and r9.
SPK_MVE_NAKED static void pairs_of_channels(const pair_job *job, int32_t columns) {
  __asm__ volatile(
      "sub sp, sp, #128\n\t"
      "add r12, sp, #24\n\t"
      "stm r12, {r4-r11, lr}\n\t"
      "add r12, sp, #60\n\t"
      "vstmia r12, {d8-d15}\n\t"
      "mov r11, r1\n\t"
      "ldm r0, {r2, r3, r4, r5, r6, r7}\n\t"
      "stm sp, {r2, r3, r4, r5, r6, r7}\n\t"
      "10:\n\t"
      "ldrd r12, r7, [sp]\n\t"
      "ldrd r0, r2, [r12], #8\n\t"
      "add r9, r7, r11\n\t"
      "add r3, r9, r11\n\t"
      "strd r12, r3, [sp]\n\t"
      "ldrd r1, r3, [sp, #8]\n\t"
      "add r5, r1, r3, lsl #1\n\t"
      "add r3, r1, r3\n\t"
      "mov r4, r0\n\t"
      "mov r6, r2\n\t"
      "mov r8, r0\n\t"
      "mov r10, r2\n\t"
      "dlstp.8 lr, r11\n\t"
      "11:\n\t"
      "vldrb.u8 q3, [r7], #16\n\t"
      "vldrb.u8 q0, [r1], #16\n\t"
      "vmladava.s8 r0, q0, q3\n\t"
      "vldrb.u8 q4, [r9], #16\n\t"
      "vmladava.s8 r2, q0, q4\n\t"
      "vldrb.u8 q1, [r3], #16\n\t"
      "vmladava.s8 r4, q1, q3\n\t"
      "vmladava.s8 r6, q1, q4\n\t"
      "vldrb.u8 q2, [r5], #16\n\t"
      "vmladava.s8 r8, q2, q3\n\t"
      "vmladava.s8 r10, q2, q4\n\t"
      "letp lr, 11b\n\t"
      "ldrd r12, r1, [sp, #16]\n\t"
      "strd r4, r6, [r12, #256]\n\t"
      "strd r8, r10, [r12, #512]\n\t"
      "strd r0, r2, [r12], #8\n\t"
      "subs r1, r1, #1\n\t"
      "strd r12, r1, [sp, #16]\n\t"
      "bgt.w 10b\n\t"
      "add r12, sp, #60\n\t"
      "vldmia r12, {d8-d15}\n\t"
      "add r12, sp, #24\n\t"
      "ldm r12, {r4-r11, lr}\n\t"
      "add sp, sp, #128\n\t"
      "bx lr\n\t");
}
// clang-format on

// `count` channels from `first` on of one pixel, all of which are shifted to the right.
static void scale(const int32_t *sums, int32_t first, int32_t count, const spk_requant *q,
                  int8_t *output) {
  const int32_t *multiplier = q->multiplier + first, *shift = q->shift + first;
  // Narrow stores take low registers only.
  __asm__ volatile(
      "vdup.32 q3, %[low]\n\t"
      "vdup.32 q4, %[high]\n\t"
      "wlstp.32 lr, %[count], 2f\n"
      "1: vldrw.u32 q0, [%[sums]], #16\n\t"
      "vldrw.u32 q1, [%[multiplier]], #16\n\t"
      "vqrdmulh.s32 q0, q0, q1\n\t"
      "vldrw.u32 q1, [%[shift]], #16\n\t"
      "vshr.s32 q2, q0, #31\n\t"  // ties go away from zero
      "vadd.i32 q0, q0, q2\n\t"
      "vrshl.s32 q0, q0, q1\n\t"
      "vadd.i32 q0, q0, %[offset]\n\t"
      "vmax.s32 q0, q0, q3\n\t"
      "vmin.s32 q0, q0, q4\n\t"
      "vstrb.32 q0, [%[output]], #4\n\t"
      "letp lr, 1b\n"
      "2:"
      : [sums] "+r"(sums), [multiplier] "+r"(multiplier), [shift] "+r"(shift),
        [output] "+l"(output)
      : [count] "r"(count), [offset] "r"(q->output_offset), [low] "r"(q->act_min),
        [high] "r"(q->act_max)
      : "lr", "d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7", "d8", "d9", "cc", "memory");
}

#else

static void pairs_of_channels(const pair_job *job, int32_t columns) {
  for (int32_t c = 0; c < 2 * job->pairs; ++c) {
    for (int32_t p = 0; p < kPixels; ++p) {
      const int8_t *const x = job->pixels + p * (ptrdiff_t)job->stride;
      uint32_t sum = (uint32_t)job->bias[c];
      for (int32_t i = 0; i < columns; ++i) {
        sum += (uint32_t)(x[i] * job->weights[c * (ptrdiff_t)columns + i]);
      }
      job->sums[p * kChannels + c] = (int32_t)sum;
    }
  }
}

#endif

static void scale_in_c(const int32_t *sums, int32_t first, int32_t count, const spk_requant *q,
                       int8_t *output) {
  for (int32_t c = 0; c < count; ++c) output[c] = spk_requantize_s8(sums[c], q, first + c);
}

// `channels` of them from `first` on. An odd last one is computed with the one before it.
static void sum_channels(pair_job job, int32_t first, int32_t channels, int32_t columns,
                         int32_t *sums) {
  job.bias += first;
  job.weights += first * (ptrdiff_t)columns;
  job.sums = sums;
  job.pairs = channels / 2;
  if (job.pairs > 0) pairs_of_channels(&job, columns);
  if (channels % 2 == 0) return;
  job.bias += channels - 2;
  job.weights += (channels - 2) * (ptrdiff_t)columns;
  job.sums += channels - 2;
  job.pairs = 1;
  pairs_of_channels(&job, columns);
}

static int all_shift_right(const spk_requant *q, int32_t channels) {
  int32_t largest = -1;
  for (int32_t c = 0; c < channels; ++c)
    largest = q->shift[c] > largest ? q->shift[c] : largest;
  return largest < 0;
}

static void convolve_tile(const spk_window2d *w, const spk_requant *q, pair_job job,
                          int32_t columns, int32_t count, int vectors, int8_t *output) {
  int32_t sums[1 + kPixels * kChannels];  // one before the first, of a pair of one channel
  for (int32_t first = 0; first < w->out_c; first += kChannels) {
    const int32_t left = w->out_c - first, channels = left < kChannels ? left : kChannels;
    sum_channels(job, first, channels, columns, sums + 1);
    for (int32_t p = 0; p < count; ++p) {
      int8_t *const to = output + (ptrdiff_t)p * w->out_c + first;
#if SPK_MVE
      if (vectors) {
        scale(sums + 1 + p * kChannels, first, channels, q, to);
        continue;
      }
#endif
      scale_in_c(sums + 1 + p * kChannels, first, channels, q, to);
    }
  }
  (void)vectors;
}

size_t spk_conv2d_s8_dense__mve_scratch(const spk_window2d *w) {
  return spk_mve_tile_bytes(w, kPixels);
}

void spk_conv2d_s8_dense__mve(const spk_window2d *w, const spk_requant *q, const int8_t *input,
                              const int8_t *weights, const int32_t *bias, int8_t *output,
                              void *scratch) {
  const int32_t pixels = w->batch * w->out_h * w->out_w, in_place = spk_mve_is_pointwise(w);
  const spk_mve_tile t = spk_mve_new_tile(w, 1, -q->input_offset, scratch);
  const int vectors = all_shift_right(q, w->out_c);
  // Fewer pixels than a tile has are computed one by one, each three times.
  const int32_t count = pixels < kPixels ? 1 : kPixels;
  pair_job job = {bias, weights, t.bytes, count > 1 ? t.columns : 0, NULL, 0};
  for (int32_t at = 0; at < pixels; at += count) {
    const int32_t first = at + count <= pixels ? at : pixels - count;
    if (in_place) job.pixels = input + (ptrdiff_t)first * w->in_c;
    for (int32_t p = 0; p < count && !in_place; ++p) {
      spk_pack_pixel_mve(&t, p, input, first + p);
    }
    convolve_tile(w, q, job, t.columns, count, vectors, output + (ptrdiff_t)first * w->out_c);
  }
}
