// CONV_2D, int8, unstructured weights four at a time, HVX.
//
// Four planar vectors of the tile, wherever they lie, are interleaved until every word holds
// the four columns of a pixel; then four products of 128 bytes follow. The addresses of the
// planar vectors are computed once for all tiles. A load, an interleaving (which takes two of
// the four pipes) and a product fill a packet, so four weights take four packets. The loads
// run one four ahead, from the end of one row into the next.
#include "spk/conv2d_hvx.h"
#include "spk/fours_s8.h"
#include "spk/kernels_s8.h"
#include "spk/rows_hvx.h"

#if defined(__HVX__)

#define SORT "vshuff"

// Addresses of all columns, and some behind that are loaded in vain.
static void prepare(const spk_hvx_rows *job) {
  const spk_fours_view v = spk_fours_of(job->weights, job->rows, 1);
  const int32_t count = 4 * v.fours, tile = (int32_t)(uintptr_t)job->base;
  int32_t *const address = job->work;
  int32_t done = spk_hvx_widen(v.index, count, tile, 7, address);
  for (; done < count; ++done) address[done] = tile + SPK_HVX_BYTES * v.index[done];
  for (int32_t i = 0; i < SPK_HVX_AHEAD; ++i) address[count + i] = tile;
}

// v11:10 holds the interleaved bytes of the first two columns, v15:14 the finished words of
// every fourth pixel from 0 and from 2 on, v17:16 those from 1 and from 3 on.
#define FOURS                                       \
  "{ v13:12.b = vshuffoe(v7.b, v6.b)\n\t"           \
  "  v4 = vmem(r10 + #0)\n\t"                       \
  "  v1.w += vrmpy(v16.ub, %[w].b)\n\t"             \
  "  r13:12 = memd(%[address]++#8) }\n\t"           \
  "{ v15:14.h = vshuffoe(v12.h, v10.h)\n\t"         \
  "  v5 = vmem(r11 + #0)\n\t"                       \
  "  v3.w += vrmpy(v17.ub, %[w].b)\n\t"             \
  "  %[w] = memw(%[weights]++#4) }\n\t"             \
  "{ v17:16.h = vshuffoe(v13.h, v11.h)\n\t"         \
  "  v6 = vmem(r12 + #0)\n\t"                       \
  "  v0.w += vrmpy(v14.ub, %[w].b)\n\t"             \
  "  r11:10 = memd(%[address]++#8) }\n\t"           \
  "{ v11:10.b = vshuffoe(v5.b, v4.b)\n\t"           \
  "  v7 = vmem(r13 + #0)\n\t"                       \
  "  v2.w += vrmpy(v15.ub, %[w].b) } :endloop0\n\t" \
  "{ v1.w += vrmpy(v16.ub, %[w].b)\n\t"             \
  "  v3.w += vrmpy(v17.ub, %[w].b)\n\t"             \
  "  %[w] = #0 }\n\t"

#define MULTIPLY(early, late)                                                                  \
  SPK_HVX_CONSTANTS                                                                            \
  "{ r11:10 = memd(%[address]++#8) }\n\t"                                                      \
  "{ r13:12 = memd(%[address]++#8) }\n\t"                                                      \
  "{ v0 = vsplat(%[bias])\n\t  v4 = vmem(r10 + #0) }\n\t"                                      \
  "{ v1 = v0\n\t  v3:2 = vcombine(v0, v0)\n\t  v5 = vmem(r11 + #0) }\n\t"                      \
  "{ v6 = vmem(r12 + #0)\n\t  r11:10 = memd(%[address]++#8) }\n\t"                             \
  "{ v7 = vmem(r13 + #0)\n\t  v11:10.b = vshuffoe(v5.b, v4.b)\n\t  %[w] = #0 }\n\t"            \
  "{ v17:16 = vcombine(v4, v4) }\n\t"                                                          \
  "loop1(1f, %[rows])\n\t"                                                                     \
  "loop0(1f, %[count])\n\t"                                                                    \
  ".p2align 4\n"                                                                               \
  "1:\n\t" FOURS SPK_HVX_FINISH("v0", "v1", "v2", "v3", "v3:2", SORT, "lc0 = r3", early, late, \
                                ":endloop1") SPK_HVX_FLUSH(SORT)

#define RUN(early, late)                                                                       \
  __asm__ volatile(MULTIPLY(early, late)                                                       \
                   : [w] "=&r"(w), [weights] "+&r"(weights), [address] "+&r"(address),         \
                     [record] "+&r"(record), [out] "+&r"(out)                                  \
                   : [bias] "r"(job->bias[0]), [count] "r"(v.count[0]), [rows] "r"(job->rows), \
                     SPK_HVX_CONSTANT_OPERANDS(job)                                            \
                   : "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v10", "v11", "v12",      \
                     "v13", "v14", "v15", "v16", "v17", "v20", "v21", "v24", "v25", "v26",     \
                     "v27", "v28", "v29", "v30", "v31", "r2", "r3", "r4", "r5", "r6", "r10",   \
                     "r11", "r12", "r13", "lc0", "sa0", "lc1", "sa1", "memory")

static void multiply(const spk_hvx_rows *job) {
  const spk_fours_view v = spk_fours_of(job->weights, job->rows, 1);
  const uint32_t *address = job->work, *weights = v.weights;
  const spk_hvx_record *record = job->records;
  HVX_Vector *out = job->sums - 1;
  int32_t w;
  if (job->wide) {
    RUN(SPK_HVX_WIDE_EARLY, SPK_HVX_WIDE_LATE);
  } else {
    RUN("", "");
  }
}

#endif  // __HVX__

void spk_conv2d_s8_fours__hvx(const spk_window2d *w, const spk_requant *q, const int8_t *input,
                              const uint32_t *fours, const int32_t *bias, int8_t *output,
                              void *scratch) {
#if defined(__HVX__)
  if (spk_hvx_can_scale(w, q, bias)) {
    const spk_hvx_kernel kernel = {.planar = 1,
                                   .at_once = 1,
                                   .count = spk_fours_of(fours, w->out_c, 1).count,
                                   .prepare = prepare,
                                   .multiply = multiply};
    spk_hvx_conv2d(w, q, input, fours, bias, output, scratch, &kernel);
    return;
  }
#endif
  spk_conv2d_s8_fours__c(w, q, input, fours, bias, output, scratch);
}
