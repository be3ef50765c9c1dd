// CONV_2D, int8, dense, HVX: sixteen vectors of sums, four rows by 128 pixels, so that two
// products of 128 bytes go into every packet.
#include "spk/conv2d_hvx.h"
#include "spk/kernels_s8.h"
#include "spk/rows_hvx.h"

#if defined(__HVX__)

// The packets of four columns: v16 to v19 are 32 pixels each, w0 to w3 the four rows' weights.
// What a product has used up is loaded anew for the next four columns in the same packet; the
// offsets of columns begin anew behind the last, and so the next rows find the first in place.
#define COLUMNS                             \
  "{ v0.w += vrmpy(v16.ub, %[w0].b)\n\t"    \
  "  v4.w += vrmpy(v16.ub, %[w1].b)\n\t"    \
  "  %[w2] = memw(%[w] + #8)\n\t"           \
  "  %[w3] = memw(%[w] + #12) }\n\t"        \
  "{ v8.w += vrmpy(v16.ub, %[w2].b)\n\t"    \
  "  v12.w += vrmpy(v16.ub, %[w3].b)\n\t"   \
  "  %[w] = add(%[w], #16)\n\t"             \
  "  v16 = vmem(%[x]++#1) }\n\t"            \
  "{ v1.w += vrmpy(v17.ub, %[w0].b)\n\t"    \
  "  v5.w += vrmpy(v17.ub, %[w1].b)\n\t"    \
  "  %[next] = memw(%[column]++#4) }\n\t"   \
  "{ v9.w += vrmpy(v17.ub, %[w2].b)\n\t"    \
  "  v13.w += vrmpy(v17.ub, %[w3].b)\n\t"   \
  "  v17 = vmem(%[x]++#1) }\n\t"            \
  "{ v2.w += vrmpy(v18.ub, %[w0].b)\n\t"    \
  "  v6.w += vrmpy(v18.ub, %[w1].b)\n\t"    \
  "  %[next] = add(%[next], %[base]) }\n\t" \
  "{ v10.w += vrmpy(v18.ub, %[w2].b)\n\t"   \
  "  v14.w += vrmpy(v18.ub, %[w3].b)\n\t"   \
  "  v18 = vmem(%[x]++#1) }\n\t"            \
  "{ v3.w += vrmpy(v19.ub, %[w0].b)\n\t"    \
  "  v7.w += vrmpy(v19.ub, %[w1].b)\n\t"    \
  "  %[w0] = memw(%[w] + #0)\n\t"           \
  "  %[w1] = memw(%[w] + #4) }\n\t"         \
  "{ v11.w += vrmpy(v19.ub, %[w2].b)\n\t"   \
  "  v15.w += vrmpy(v19.ub, %[w3].b)\n\t"   \
  "  v19 = vmem(%[x] + #0)\n\t"             \
  "  %[x] = %[next] } :endloop0\n\t"

// v0 to v3 are the sums of the first of four rows, and so on.
#define BIAS(a0, a1, a32, number)       \
  "{ r4 = memw(%[bias] + #4 * " #number \
  ") }\n\t"                             \
  "{ " a0                               \
  " = vsplat(r4) }\n\t"                 \
  "{ " a1 " = " a0 "\n\t  " a32 " = vcombine(" a0 ", " a0 ") }\n\t"

#define MULTIPLY(early, late)                                                                 \
  SPK_HVX_CONSTANTS                                                                           \
  BIAS("v0", "v1", "v3:2", 0)                                                                 \
  BIAS("v4", "v5", "v7:6", 1)                                                                 \
  BIAS("v8", "v9", "v11:10", 2)                                                               \
  BIAS("v12", "v13", "v15:14", 3)                                                             \
  "{ v16 = vmem(%[x]++#1) }\n\t"                                                              \
  "{ v17 = vmem(%[x]++#1) }\n\t"                                                              \
  "{ v18 = vmem(%[x]++#1) }\n\t"                                                              \
  "{ v19 = vmem(%[x] + #0)\n\t  %[x] = %[next] }\n\t"                                         \
  "loop1(1f, %[rounds])\n\t"                                                                  \
  "loop0(1f, %[fours])\n\t"                                                                   \
  ".p2align 4\n"                                                                              \
  "1:\n\t" COLUMNS SPK_HVX_FINISH("v0", "v1", "v2", "v3", "v3:2", "vdeal", "", early, late,   \
                                  "")                                                         \
      SPK_HVX_FINISH("v4", "v5", "v6", "v7", "v7:6", "vdeal", "", early, late, "")            \
          SPK_HVX_FINISH("v8", "v9", "v10", "v11", "v11:10", "vdeal",                         \
                         "%[column] = %[columns]", early, late, "")                           \
              SPK_HVX_FINISH("v12", "v13", "v14", "v15", "v15:14", "vdeal", "lc0 = %[fours]", \
                             early, late, ":endloop1") SPK_HVX_FLUSH("vdeal")

#define RUN(early, late)                                                                       \
  __asm__ volatile(MULTIPLY(early, late)                                                       \
                   : [x] "+&r"(x), [next] "+&r"(next), [w] "+&r"(weights), [w0] "+&r"(w0),     \
                     [w1] "+&r"(w1), [w2] "=&r"(w2), [w3] "=&r"(w3), [column] "+&r"(column),   \
                     [record] "+&r"(record), [out] "+&r"(out)                                  \
                   : [columns] "r"(columns), [base] "r"(job->base), [bias] "r"(bias),          \
                     [fours] "r"(job->columns / 4), [rounds] "r"((job->rows + 3) / 4),         \
                     SPK_HVX_CONSTANT_OPERANDS(job)                                            \
                   : "v0", "v1", "v2", "v3", "v4", "v5", "v6", "v7", "v8", "v9", "v10", "v11", \
                     "v12", "v13", "v14", "v15", "v16", "v17", "v18", "v19", "v20", "v21",     \
                     "v24", "v25", "v26", "v27", "v28", "v29", "v30", "v31", "r2", "r3", "r4", \
                     "r5", "r6", "lc0", "sa0", "lc1", "sa1", "memory")

static void multiply(const spk_hvx_rows *job) {
  int32_t bias[4] = {0};
  for (int32_t r = 0; r < 4 && r < job->rows; ++r) bias[r] = job->bias[r];
  const int32_t *const columns = job->offsets + 2, *column = columns;
  const uint32_t *weights = job->weights;
  const spk_hvx_record *record = job->records;
  const uint8_t *x = job->base + job->offsets[0], *next = job->base + job->offsets[1];
  HVX_Vector *out = job->sums - 1;
  uint32_t w0 = weights[0], w1 = weights[1], w2, w3;
  if (job->wide) {
    RUN(SPK_HVX_WIDE_EARLY, SPK_HVX_WIDE_LATE);
  } else {
    RUN("", "");
  }
}

static const spk_hvx_kernel kernel = {.at_once = 4, .multiply = multiply};

#endif  // __HVX__

void spk_conv2d_s8_rows4__hvx(const spk_window2d *w, const spk_requant *q, const int8_t *input,
                              const uint32_t *weights, const int32_t *bias, int8_t *output,
                              void *scratch) {
#if defined(__HVX__)
  if (spk_hvx_can_scale(w, q, bias)) {
    spk_hvx_conv2d(w, q, input, weights, bias, output, scratch, &kernel);
    return;
  }
#endif
  spk_conv2d_s8_rows4__c(w, q, input, weights, bias, output, scratch);
}
