// CONV_2D, int8, dense, HVX: sixteen vectors of sums, four rows by 128 pixels, so that two
// products of 128 bytes go into every packet.
#include "spk/conv2d_hvx.h"
#include "spk/kernels_s8.h"

#if defined(__HVX__)

// The packets of four columns: x0 to x3 are 32 pixels each, w0 to w3 the four rows' weights.
// What a product has used up is loaded anew for the next four columns in the same packet.
static void four_rows(const HVX_Vector *x, const uint32_t *weights, int32_t fours,
                      spk_hvx_sums s[4]) {
  HVX_Vector x0 = *x++, x1 = *x++, x2 = *x++, x3 = *x++;
  uint32_t w0 = weights[0], w1 = weights[1], w2, w3;
  __asm__ volatile(
      "loop0(1f, %[n])\n\t"
      ".p2align 4\n"
      "1:\n\t"
      "{ %[a0].w += vrmpy(%[x0].ub, %[w0].b)\n\t"
      "  %[b0].w += vrmpy(%[x0].ub, %[w1].b)\n\t"
      "  %[w2] = memw(%[w] + #8)\n\t"
      "  %[w3] = memw(%[w] + #12) }\n\t"
      "{ %[c0].w += vrmpy(%[x0].ub, %[w2].b)\n\t"
      "  %[d0].w += vrmpy(%[x0].ub, %[w3].b)\n\t"
      "  %[w] = add(%[w], #16)\n\t"
      "  %[x0] = vmem(%[x]++#1) }\n\t"
      "{ %[a1].w += vrmpy(%[x1].ub, %[w0].b)\n\t"
      "  %[b1].w += vrmpy(%[x1].ub, %[w1].b) }\n\t"
      "{ %[c1].w += vrmpy(%[x1].ub, %[w2].b)\n\t"
      "  %[d1].w += vrmpy(%[x1].ub, %[w3].b)\n\t"
      "  %[x1] = vmem(%[x]++#1) }\n\t"
      "{ %[a2].w += vrmpy(%[x2].ub, %[w0].b)\n\t"
      "  %[b2].w += vrmpy(%[x2].ub, %[w1].b) }\n\t"
      "{ %[c2].w += vrmpy(%[x2].ub, %[w2].b)\n\t"
      "  %[d2].w += vrmpy(%[x2].ub, %[w3].b)\n\t"
      "  %[x2] = vmem(%[x]++#1) }\n\t"
      "{ %[a3].w += vrmpy(%[x3].ub, %[w0].b)\n\t"
      "  %[b3].w += vrmpy(%[x3].ub, %[w1].b)\n\t"
      "  %[w0] = memw(%[w] + #0)\n\t"
      "  %[w1] = memw(%[w] + #4) }\n\t"
      "{ %[c3].w += vrmpy(%[x3].ub, %[w2].b)\n\t"
      "  %[d3].w += vrmpy(%[x3].ub, %[w3].b)\n\t"
      "  %[x3] = vmem(%[x]++#1) } :endloop0\n"
      : [a0] "+v"(s[0].s0), [a1] "+v"(s[0].s1), [a2] "+v"(s[0].s2), [a3] "+v"(s[0].s3),
        [b0] "+v"(s[1].s0), [b1] "+v"(s[1].s1), [b2] "+v"(s[1].s2), [b3] "+v"(s[1].s3),
        [c0] "+v"(s[2].s0), [c1] "+v"(s[2].s1), [c2] "+v"(s[2].s2), [c3] "+v"(s[2].s3),
        [d0] "+v"(s[3].s0), [d1] "+v"(s[3].s1), [d2] "+v"(s[3].s2), [d3] "+v"(s[3].s3),
        [x0] "+v"(x0), [x1] "+v"(x1), [x2] "+v"(x2), [x3] "+v"(x3), [w0] "+r"(w0),
        [w1] "+r"(w1), [w2] "=&r"(w2), [w3] "=&r"(w3), [x] "+r"(x), [w] "+r"(weights)
      : [n] "r"(fours)
      : "lc0", "sa0", "memory");
}

static void multiply(const spk_hvx_rows *job) {
  const spk_hvx_range range = spk_hvx_range_of(job->q);
  const int32_t fours = job->columns / 4;
  const uint32_t *weights = job->weights;
  for (int32_t r = 0; r < job->rows; r += 4, weights += 4 * fours) {
    const int32_t count = job->rows - r;
    spk_hvx_sums s[4];
    for (int32_t i = 0; i < 4; ++i) s[i] = spk_hvx_bias(i < count ? job->bias[r + i] : 0);
    four_rows(job->tile, weights, fours, s);
    if (count >= 2) spk_hvx_store_two(job, r, s[0], s[1], &range);
    if (count >= 4) spk_hvx_store_two(job, r + 2, s[2], s[3], &range);
    if (count == 1) spk_hvx_store_one(job, r, s[0], &range);
    if (count == 3) spk_hvx_store_one(job, r + 2, s[2], &range);
  }
}

#endif  // __HVX__

void spk_conv2d_s8_rows4__hvx(const spk_window2d *w, const spk_requant *q, const int8_t *input,
                              const uint32_t *weights, const int32_t *bias, int8_t *output,
                              void *scratch) {
#if defined(__HVX__)
  if (spk_hvx_can_scale(w, q, bias)) {
    spk_hvx_conv2d(w, q, input, weights, bias, output, scratch, 0, multiply);
    return;
  }
#endif
  spk_conv2d_s8_rows4__c(w, q, input, weights, bias, output, scratch);
}
