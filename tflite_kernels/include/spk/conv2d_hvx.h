// What the HVX convolutions share: tiles of 128 output pixels, and the way back to NHWC.
//
// A tile holds, for every four columns of the weight matrix, 512 bytes. Interleaved, they are
// four vectors of 32 pixels with four columns each, as the kernels of whole fours want it.
// Planar, they are one vector a column; byte 4 i + j belongs to pixel 32 j + i of the tile, so
// that four planar vectors, interleaved, give the pixels in the same order again.
#ifndef SPK_CONV2D_HVX_H_
#define SPK_CONV2D_HVX_H_

#include "spk/requantize_s8.h"
#include "spk/types.h"

enum { SPK_HVX_BYTES = 128, SPK_HVX_PIXELS = 128 };

#if defined(__HVX__)
#include <hexagon_types.h>
// hexagon_types.h first.
#include <hexagon_protos.h>
#include <hvx_hexagon_protos.h>

typedef struct spk_hvx_rows {
  const spk_requant *q;
  const uint32_t *weights;
  const int32_t *bias;
  const HVX_Vector *tile;
  void *work;        // the kernel's own part of scratch
  HVX_Vector *sums;  // out: (rows, 128 pixels) int8, scaled
  int32_t rows, columns;
} spk_hvx_rows;

typedef void (*spk_hvx_multiply)(const spk_hvx_rows *job);

// Can the vectors scale these sums? Left shifts and huge biases are left to plain C.
int spk_hvx_can_scale(const spk_window2d *w, const spk_requant *q, const int32_t *bias);

// Scratch of the driver, without the kernel's own; it is aligned to 128 bytes here.
void spk_hvx_conv2d(const spk_window2d *w, const spk_requant *q, const int8_t *input,
                    const uint32_t *weights, const int32_t *bias, int8_t *output, void *scratch,
                    int planar, spk_hvx_multiply multiply);

// Where the kernel's own part of scratch and the tile lie.
void *spk_hvx_work(const spk_window2d *w, void *scratch);
const HVX_Vector *spk_hvx_tile(const spk_window2d *w, void *scratch);

// What of spk_requant is the same for all channels.
typedef struct spk_hvx_range {
  HVX_Vector offset, low, high;
} spk_hvx_range;

SPK_INLINE spk_hvx_range spk_hvx_range_of(const spk_requant *q) {
  const spk_hvx_range range = {Q6_Vh_vsplat_R(q->output_offset), Q6_Vb_vsplat_R(q->act_min),
                               Q6_Vb_vsplat_R(q->act_max)};
  return range;
}

// The sums of 128 pixels of one row, 32 in each vector.
typedef struct spk_hvx_sums {
  HVX_Vector s0, s1, s2, s3;
} spk_hvx_sums;

SPK_INLINE spk_hvx_sums spk_hvx_bias(int32_t bias) {
  const HVX_Vector v = Q6_V_vsplat_R(bias);
  const spk_hvx_sums s = {v, v, v, v};
  return s;
}

// Sums of a channel, scaled by its multiplier, shifted right by at least one bit and clamped.
HVX_Vector spk_hvx_scaled(const spk_hvx_sums *s, int32_t multiplier, int32_t right,
                          const spk_hvx_range *range);

SPK_INLINE void spk_hvx_store_one(const spk_hvx_rows *job, int32_t row, spk_hvx_sums s,
                                  const spk_hvx_range *range) {
  job->sums[row] = spk_hvx_scaled(&s, job->q->multiplier[row], -job->q->shift[row], range);
}

// Two rows of a layer, scaled by hand-made packets: a multiplication takes two of the four
// pipes, so that the shifts of one row go beside the multiplications of the other.
SPK_INLINE void spk_hvx_store_two(const spk_hvx_rows *job, int32_t row, spk_hvx_sums a,
                                  spk_hvx_sums b, const spk_hvx_range *range) {
  const int32_t *const multiplier = job->q->multiplier + row;
  const int32_t right_a = -job->q->shift[row], right_b = -job->q->shift[row + 1];
  HVX_Vector *const to = job->sums + row;
  if ((right_a | right_b) & 16) {
    to[0] = spk_hvx_scaled(&a, multiplier[0], right_a, range);
    to[1] = spk_hvx_scaled(&b, multiplier[1], right_b, range);
    return;
  }
  const HVX_Vector m = Q6_V_vsplat_R(multiplier[0]), n = Q6_V_vsplat_R(multiplier[1]);
  register int32_t shift_a __asm__("r4") = right_a;  // the narrowing shift takes r0 to r7
  register int32_t shift_b __asm__("r5") = right_b;
  HVX_Vector t0, t1, t2, t3, u0, u1, u2, u3;
  __asm__(
      "{ %[t0].w = vmpye(%[a0].w, %[m].uh) }\n\t"
      "{ %[t1].w = vmpye(%[a1].w, %[m].uh) }\n\t"
      "{ %[t2].w = vmpye(%[a2].w, %[m].uh) }\n\t"
      "{ %[t3].w = vmpye(%[a3].w, %[m].uh) }\n\t"
      "{ %[t0].w += vmpyo(%[a0].w, %[m].h):<<1:rnd:sat:shift }\n\t"
      "{ %[t1].w += vmpyo(%[a1].w, %[m].h):<<1:rnd:sat:shift\n\t"
      "  %[a0].w = vasr(%[t0].w, %[sign]) }\n\t"
      "{ %[t2].w += vmpyo(%[a2].w, %[m].h):<<1:rnd:sat:shift\n\t"
      "  %[a1].w = vasr(%[t1].w, %[sign])\n\t"
      "  %[t0].w = vadd(%[t0].w, %[a0].w) }\n\t"
      "{ %[t3].w += vmpyo(%[a3].w, %[m].h):<<1:rnd:sat:shift\n\t"
      "  %[a2].w = vasr(%[t2].w, %[sign])\n\t"
      "  %[t1].w = vadd(%[t1].w, %[a1].w) }\n\t"
      "{ %[u0].w = vmpye(%[b0].w, %[n].uh)\n\t"
      "  %[a3].w = vasr(%[t3].w, %[sign])\n\t"
      "  %[t2].w = vadd(%[t2].w, %[a2].w) }\n\t"
      "{ %[u1].w = vmpye(%[b1].w, %[n].uh)\n\t"
      "  %[t0].h = vasr(%[t2].w, %[t0].w, %[ra]):rnd:sat\n\t"
      "  %[t3].w = vadd(%[t3].w, %[a3].w) }\n\t"
      "{ %[u2].w = vmpye(%[b2].w, %[n].uh)\n\t"
      "  %[t1].h = vasr(%[t3].w, %[t1].w, %[ra]):rnd:sat\n\t"
      "  %[t0].h = vadd(%[t0].h, %[offset].h):sat }\n\t"
      "{ %[u3].w = vmpye(%[b3].w, %[n].uh)\n\t"
      "  %[t1].h = vadd(%[t1].h, %[offset].h):sat }\n\t"
      "{ %[u0].w += vmpyo(%[b0].w, %[n].h):<<1:rnd:sat:shift\n\t"
      "  %[t0].b = vpack(%[t1].h, %[t0].h):sat }\n\t"
      "{ %[u1].w += vmpyo(%[b1].w, %[n].h):<<1:rnd:sat:shift\n\t"
      "  %[b0].w = vasr(%[u0].w, %[sign])\n\t"
      "  %[t0].b = vdeal(%[t0].b) }\n\t"
      "{ %[u2].w += vmpyo(%[b2].w, %[n].h):<<1:rnd:sat:shift\n\t"
      "  %[b1].w = vasr(%[u1].w, %[sign])\n\t"
      "  %[u0].w = vadd(%[u0].w, %[b0].w) }\n\t"
      "{ %[u3].w += vmpyo(%[b3].w, %[n].h):<<1:rnd:sat:shift\n\t"
      "  %[b2].w = vasr(%[u2].w, %[sign])\n\t"
      "  %[u1].w = vadd(%[u1].w, %[b1].w) }\n\t"
      "{ %[b3].w = vasr(%[u3].w, %[sign])\n\t"
      "  %[u2].w = vadd(%[u2].w, %[b2].w)\n\t"
      "  %[t0].b = vmax(%[t0].b, %[low].b) }\n\t"
      "{ %[u0].h = vasr(%[u2].w, %[u0].w, %[rb]):rnd:sat\n\t"
      "  %[u3].w = vadd(%[u3].w, %[b3].w)\n\t"
      "  %[t0].b = vmin(%[t0].b, %[high].b) }\n\t"
      "{ %[u1].h = vasr(%[u3].w, %[u1].w, %[rb]):rnd:sat\n\t"
      "  %[u0].h = vadd(%[u0].h, %[offset].h):sat }\n\t"
      "{ %[u1].h = vadd(%[u1].h, %[offset].h):sat }\n\t"
      "{ %[u0].b = vpack(%[u1].h, %[u0].h):sat }\n\t"
      "{ %[u0].b = vdeal(%[u0].b) }\n\t"
      "{ %[u0].b = vmax(%[u0].b, %[low].b) }\n\t"
      "{ %[u0].b = vmin(%[u0].b, %[high].b) }\n"
      : [t0] "=&v"(t0), [t1] "=&v"(t1), [t2] "=&v"(t2), [t3] "=&v"(t3), [u0] "=&v"(u0),
        [u1] "=&v"(u1), [u2] "=&v"(u2), [u3] "=&v"(u3), [a0] "+v"(a.s0), [a1] "+v"(a.s1),
        [a2] "+v"(a.s2), [a3] "+v"(a.s3), [b0] "+v"(b.s0), [b1] "+v"(b.s1), [b2] "+v"(b.s2),
        [b3] "+v"(b.s3)
      : [m] "v"(m), [n] "v"(n), [sign] "r"(31), [ra] "r"(shift_a), [rb] "r"(shift_b),
        [offset] "v"(range->offset), [low] "v"(range->low), [high] "v"(range->high));
  to[0] = t0;
  to[1] = u0;
}

#endif  // __HVX__
#endif  // SPK_CONV2D_HVX_H_
