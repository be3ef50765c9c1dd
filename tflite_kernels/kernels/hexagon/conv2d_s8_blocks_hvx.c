// CONV_2D, int8, blocks of four neighbouring columns, HVX.
//
// One vector can be loaded in a packet, so a block of 128 pixels takes four packets, and the
// rest of its work fits between: see the packets below. The loads run one block ahead, from
// the end of one row into the next; the blob ends with a block of zeros for the last.
#include "spk/conv2d_hvx.h"
#include "spk/fours_s8.h"
#include "spk/kernels_s8.h"

#if defined(__HVX__)

enum { BLOCK_SHIFT = 9 };  // a block of the tile has 512 bytes

// What was loaded ahead.
typedef struct ahead {
  HVX_Vector x0, x1, x2, x3;  // the next block of the tile
  int32_t weights;            // and its weights
  uintptr_t address;          // of the block behind it
  const uint16_t *index;      // and of the one behind that
  const uint32_t *next;       // weights of the block behind the next one
} ahead;

static ahead first_block(const spk_fours_view *v, const HVX_Vector *tile) {
  const HVX_Vector *x = tile + 4 * v->index[0];
  const int32_t second = v->fours > 0 ? v->index[1] : 0;
  const ahead a = {x[0],
                   x[1],
                   x[2],
                   x[3],
                   (int32_t)v->weights[0],
                   (uintptr_t)(tile + 4 * second),
                   v->index + 2,
                   v->weights + 1};
  return a;
}

// The sums of one row with `blocks` blocks, not 0.
#define ROW_OF_BLOCKS(blocks, base, a, s)                                             \
  do {                                                                                \
    uint32_t at_;                                                                     \
    uintptr_t behind_;                                                                \
    __asm__ volatile(                                                                 \
        "loop0(1f, %[n])\n\t"                                                         \
        ".p2align 4\n"                                                                \
        "1:\n\t"                                                                      \
        "{ %[s0].w += vrmpy(%[x0].ub, %[w].b)\n\t"                                    \
        "  %[x0] = vmem(%[p] + #0)\n\t"                                               \
        "  %[at] = memuh(%[index]++#2) }\n\t"                                         \
        "{ %[s1].w += vrmpy(%[x1].ub, %[w].b)\n\t"                                    \
        "  %[x1] = vmem(%[p] + #1)\n\t"                                               \
        "  %[behind] = %[tile] }\n\t"                                                 \
        "{ %[s2].w += vrmpy(%[x2].ub, %[w].b)\n\t"                                    \
        "  %[x2] = vmem(%[p] + #2)\n\t"                                               \
        "  %[behind] += asl(%[at], #%[shift]) }\n\t"                                  \
        "{ %[s3].w += vrmpy(%[x3].ub, %[w].b)\n\t"                                    \
        "  %[x3] = vmem(%[p] + #3)\n\t"                                               \
        "  %[p] = %[behind]\n\t"                                                      \
        "  %[w] = memw(%[next]++#4) } :endloop0\n"                                    \
        : [s0] "+v"((s).s0), [s1] "+v"((s).s1), [s2] "+v"((s).s2), [s3] "+v"((s).s3), \
          [x0] "+v"((a).x0), [x1] "+v"((a).x1), [x2] "+v"((a).x2), [x3] "+v"((a).x3), \
          [w] "+r"((a).weights), [p] "+r"((a).address), [index] "+r"((a).index),      \
          [next] "+r"((a).next), [at] "=&r"(at_), [behind] "=&r"(behind_)             \
        : [n] "r"(blocks), [tile] "r"(base), [shift] "i"(BLOCK_SHIFT)                 \
        : "lc0", "sa0", "memory");                                                    \
  } while (0)

SPK_INLINE spk_hvx_sums row_sums(const spk_hvx_rows *job, const spk_fours_view *v, int32_t row,
                                 ahead *a) {
  spk_hvx_sums s = spk_hvx_bias(job->bias[row]);
  if (v->count[row] > 0) ROW_OF_BLOCKS(v->count[row], job->tile, *a, s);
  return s;
}

static void multiply(const spk_hvx_rows *job) {
  const spk_hvx_range range = spk_hvx_range_of(job->q);
  const spk_fours_view v = spk_fours_of(job->weights, job->rows, 0);
  ahead at = first_block(&v, job->tile);
  int32_t r = 0;
  for (; r + 1 < job->rows; r += 2) {
    const spk_hvx_sums a = row_sums(job, &v, r, &at), b = row_sums(job, &v, r + 1, &at);
    spk_hvx_store_two(job, r, a, b, &range);
  }
  if (r < job->rows) {
    const spk_hvx_sums last = row_sums(job, &v, r, &at);
    spk_hvx_store_one(job, r, last, &range);
  }
}

#endif  // __HVX__

void spk_conv2d_s8_blocks__hvx(const spk_window2d *w, const spk_requant *q, const int8_t *input,
                               const uint32_t *blocks, const int32_t *bias, int8_t *output,
                               void *scratch) {
#if defined(__HVX__)
  if (spk_hvx_can_scale(w, q, bias)) {
    spk_hvx_conv2d(w, q, input, blocks, bias, output, scratch, 0, multiply);
    return;
  }
#endif
  spk_conv2d_s8_blocks__c(w, q, input, blocks, bias, output, scratch);
}
