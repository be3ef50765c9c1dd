// CONV_2D, int8, blocks of four neighbouring columns, HVX.
//
// One vector can be loaded in a packet, so a block of 128 pixels takes four packets, and the
// rest of its work fits between: see the packets below. The loads run one block ahead, from
// the end of one row into the next; the blob ends with a block of zeros for the last.
#include "spk/conv2d_hvx.h"
#include "spk/fours_s8.h"
#include "spk/kernels_s8.h"
#include "spk/rows_hvx.h"

#if defined(__HVX__)

// Offsets of all blocks from a tile's base, and some behind that are loaded in vain. Where the
// columns lie in their order, 64 are computed at once.
static void prepare(const spk_hvx_rows *job) {
  const spk_fours_view v = spk_fours_of(job->weights, job->rows, 0);
  int32_t *offset = job->work, done = 0;
  if (job->in_order) done = spk_hvx_widen(v.index, v.fours, 0, 9, offset);
  for (; done < v.fours; ++done) offset[done] = job->offsets[v.index[done]];
  for (int32_t i = 0; i < SPK_HVX_AHEAD; ++i) offset[v.fours + i] = job->offsets[0];
}

#define BLOCKS                              \
  "{ v0.w += vrmpy(v4.ub, %[w].b)\n\t"      \
  "  v4 = vmem(%[x] + #0)\n\t"              \
  "  %[next] = memw(%[offset]++#4) }\n\t"   \
  "{ v1.w += vrmpy(v5.ub, %[w].b)\n\t"      \
  "  v5 = vmem(%[x] + #1)\n\t"              \
  "  %[next] = add(%[next], %[base]) }\n\t" \
  "{ v2.w += vrmpy(v6.ub, %[w].b)\n\t"      \
  "  v6 = vmem(%[x] + #2) }\n\t"            \
  "{ v3.w += vrmpy(v7.ub, %[w].b)\n\t"      \
  "  v7 = vmem(%[x] + #3)\n\t"              \
  "  %[x] = %[next]\n\t"                    \
  "  %[w] = memw(%[weights]++#4) } :endloop0\n\t"

#define MULTIPLY(early, late)                                                                \
  SPK_HVX_CONSTANTS                                                                          \
  "{ v0 = vsplat(%[bias])\n\t  v4 = vmem(%[x] + #0) }\n\t"                                   \
  "{ v1 = v0\n\t  v3:2 = vcombine(v0, v0)\n\t  v5 = vmem(%[x] + #1) }\n\t"                   \
  "{ v6 = vmem(%[x] + #2) }\n\t"                                                             \
  "{ v7 = vmem(%[x] + #3)\n\t  %[x] = %[next] }\n\t"                                         \
  "loop1(1f, %[rows])\n\t"                                                                   \
  "loop0(1f, %[count])\n\t"                                                                  \
  ".p2align 4\n"                                                                             \
  "1:\n\t" BLOCKS SPK_HVX_FINISH("v0", "v1", "v2", "v3", "v3:2", "vdeal", "lc0 = r3", early, \
                                 late, ":endloop1") SPK_HVX_FLUSH("vdeal")

#define RUN(early, late)                                                                       \
  __asm__ volatile(MULTIPLY(early, late)                                                       \
                   : [x] "+&r"(x), [next] "+&r"(next), [w] "+&r"(w), [weights] "+&r"(weights), \
                     [offset] "+&r"(offset), [record] "+&r"(record), [out] "+&r"(out)          \
                   : [base] "r"(job->base), [bias] "r"(job->bias[0]), [count] "r"(v.count[0]), \
                     [rows] "r"(job->rows), SPK_HVX_CONSTANT_OPERANDS(job)                     \
                   : "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v20", "v21", "v24",      \
                     "v25", "v26", "v27", "v28", "v29", "v30", "v31", "r2", "r3", "r4", "r5",  \
                     "r6", "lc0", "sa0", "lc1", "sa1", "memory")

static void multiply(const spk_hvx_rows *job) {
  const spk_fours_view v = spk_fours_of(job->weights, job->rows, 0);
  const int32_t *offset = job->work;
  const uint8_t *x = job->base + offset[0], *next = job->base + offset[1];
  const spk_hvx_record *record = job->records;
  const uint32_t *weights = v.weights + 1;
  HVX_Vector *out = job->sums - 1;
  uint32_t w = v.weights[0];
  offset += 2;
  if (job->wide) {
    RUN(SPK_HVX_WIDE_EARLY, SPK_HVX_WIDE_LATE);
  } else {
    RUN("", "");
  }
}

#endif  // __HVX__

void spk_conv2d_s8_blocks__hvx(const spk_window2d *w, const spk_requant *q, const int8_t *input,
                               const uint32_t *blocks, const int32_t *bias, int8_t *output,
                               void *scratch) {
#if defined(__HVX__)
  if (spk_hvx_can_scale(w, q, bias)) {
    const spk_hvx_kernel kernel = {.at_once = 1,
                                   .count = spk_fours_of(blocks, w->out_c, 0).count,
                                   .prepare = prepare,
                                   .multiply = multiply};
    spk_hvx_conv2d(w, q, input, blocks, bias, output, scratch, &kernel);
    return;
  }
#endif
  spk_conv2d_s8_blocks__c(w, q, input, blocks, bias, output, scratch);
}
