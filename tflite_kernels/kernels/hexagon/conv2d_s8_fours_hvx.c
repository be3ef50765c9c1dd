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

#if defined(__HVX__)

// address[i] = tile + 128 * index[i], 64 at a time; `count` may be rounded up to that.
static void find_addresses(const uint16_t *index, int32_t count, const HVX_Vector *tile,
                           uint32_t *address) {
  const HVX_Vector base = Q6_V_vsplat_R((int32_t)(uintptr_t)tile);
  for (; count >= 64; count -= 64, index += 64, address += 64) {
    HVX_Vector v;
    __asm__ volatile("%0 = vmemu(%1+#0)" : "=v"(v) : "r"(index) : "memory");
    const HVX_VectorPair wide = Q6_Wuw_vunpack_Vuh(v);
    HVX_Vector *const to = (HVX_Vector *)address;
    to[0] = Q6_Vw_vadd_VwVw(base, Q6_Vw_vasl_VwR(Q6_V_lo_W(wide), 7));
    to[1] = Q6_Vw_vadd_VwVw(base, Q6_Vw_vasl_VwR(Q6_V_hi_W(wide), 7));
  }
  for (; count > 0; --count) *address++ = (uint32_t)(uintptr_t)(tile + *index++);
}

// The registers of the loop that a pair of vectors needs are named here: v17:16 holds the
// interleaved bytes of the first two columns, v21:20 the finished words of pixels 0 to 31 and
// 64 to 95, v23:22 those of the others.
#define ROW_OF_FOURS(fours, s)                                                          \
  __asm__ volatile(                                                                     \
      "loop0(1f, %[n])\n\t"                                                             \
      ".p2align 4\n"                                                                    \
      "1:\n\t"                                                                          \
      "{ v19:18.b = vshuffoe(%[x3].b, %[x2].b)\n\t"                                     \
      "  %[x0] = vmem(r10 + #0)\n\t"                                                    \
      "  %[s1].w += vrmpy(v22.ub, %[w].b)\n\t"                                          \
      "  r13:12 = memd(%[address]++#8) }\n\t"                                           \
      "{ v21:20.h = vshuffoe(v18.h, v16.h)\n\t"                                         \
      "  %[x1] = vmem(r11 + #0)\n\t"                                                    \
      "  %[s3].w += vrmpy(v23.ub, %[w].b)\n\t"                                          \
      "  %[w] = memw(%[weights]++#4) }\n\t"                                             \
      "{ v23:22.h = vshuffoe(v19.h, v17.h)\n\t"                                         \
      "  %[x2] = vmem(r12 + #0)\n\t"                                                    \
      "  %[s0].w += vrmpy(v20.ub, %[w].b)\n\t"                                          \
      "  r11:10 = memd(%[address]++#8) }\n\t"                                           \
      "{ v17:16.b = vshuffoe(%[x1].b, %[x0].b)\n\t"                                     \
      "  %[x3] = vmem(r13 + #0)\n\t"                                                    \
      "  %[s2].w += vrmpy(v21.ub, %[w].b) } :endloop0\n"                                \
      : [s0] "+v"((s).s0), [s1] "+v"((s).s1), [s2] "+v"((s).s2), [s3] "+v"((s).s3),     \
        [x0] "+v"(x0), [x1] "+v"(x1), [x2] "+v"(x2), [x3] "+v"(x3), [w] "+r"(w),        \
        [weights] "+r"(weights), [address] "+r"(address), "+v"(p0), "+v"(p1), "+v"(t0), \
        "+v"(t1), "+r"(a0), "+r"(a1)                                                    \
      : [n] "r"(fours)                                                                  \
      : "lc0", "sa0", "v18", "v19", "v20", "v21", "r12", "r13", "memory")

static void multiply(const spk_hvx_rows *job) {
  const spk_hvx_range range = spk_hvx_range_of(job->q);
  const spk_fours_view v = spk_fours_of(job->weights, job->rows, 1);
  const uint32_t *address = job->work, *weights = v.weights;
  HVX_Vector x0 = *(const HVX_Vector *)(uintptr_t)address[0];
  HVX_Vector x1 = *(const HVX_Vector *)(uintptr_t)address[1];
  HVX_Vector x2 = *(const HVX_Vector *)(uintptr_t)address[2];
  HVX_Vector x3 = *(const HVX_Vector *)(uintptr_t)address[3];
  const HVX_VectorPair pair = Q6_Wb_vshuffoe_VbVb(x1, x0);
  register HVX_Vector p0 __asm__("v16") = Q6_V_lo_W(pair);
  register HVX_Vector p1 __asm__("v17") = Q6_V_hi_W(pair);
  register HVX_Vector t0 __asm__("v22");
  register HVX_Vector t1 __asm__("v23");
  register uint32_t a0 __asm__("r10") = address[4];
  register uint32_t a1 __asm__("r11") = address[5];
  address += 6;
  int32_t w = 0;
  spk_hvx_sums before = spk_hvx_bias(0);
  for (int32_t r = 0; r < job->rows; ++r) {
    spk_hvx_sums s = spk_hvx_bias(job->bias[r]);
    if (v.count[r] > 0) {
      t0 = t1 = Q6_V_vzero();
      ROW_OF_FOURS(v.count[r], s);
      s.s1 = Q6_Vw_vrmpyacc_VwVubRb(s.s1, t0, w);  // the row's last products
      s.s3 = Q6_Vw_vrmpyacc_VwVubRb(s.s3, t1, w);
    }
    if (r % 2 != 0) {
      spk_hvx_store_two(job, r - 1, before, s, &range);
    } else if (r + 1 == job->rows) {
      spk_hvx_store_one(job, r, s, &range);
    }
    before = s;
  }
}

#endif  // __HVX__

void spk_conv2d_s8_fours__hvx(const spk_window2d *w, const spk_requant *q, const int8_t *input,
                              const uint32_t *fours, const int32_t *bias, int8_t *output,
                              void *scratch) {
#if defined(__HVX__)
  if (spk_hvx_can_scale(w, q, bias)) {
    const spk_fours_view v = spk_fours_of(fours, w->out_c, 1);
    find_addresses(v.index, 4 * (v.fours + 1), spk_hvx_tile(w, scratch),
                   spk_hvx_work(w, scratch));
    spk_hvx_conv2d(w, q, input, fours, bias, output, scratch, 1, multiply);
    return;
  }
#endif
  spk_conv2d_s8_fours__c(w, q, input, fours, bias, output, scratch);
}
