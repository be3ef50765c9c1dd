// The vector operations of fully_connected_f32_blocks_template.h for NEON; the including file
// defines HEIGHT and PARTS.
#include <arm_neon.h>
#include <string.h>

#include "kernels/aarch64/kernels_aarch64.h"
#include "kernels/portable/row_blocks_f32.h"

#define TARGET
#define VECTOR       float32x4_t
#define LANES        4
#define MOST_INPUTS  (8 / PARTS)
#define FEW_PERCENT  25
#define LOAD         vld1q_f32
#define STORE        vst1q_f32
#define SET1         vdupq_n_f32
#define FMA(a, b, c) vfmaq_f32(c, a, b)
#define ADD          vaddq_f32
#define MIN          vminq_f32
#define MAX          vmaxq_f32
#define LIVE(x)      live_bits(x)
#define NAME(x)      x##_neon

// A bit for each lane that is not zero.
static inline uint32_t live_bits(float32x4_t x) {
  static const uint32_t bits[] = {1, 2, 4, 8};
  return vaddvq_u32(vbicq_u32(vld1q_u32(bits), vceqzq_f32(x)));
}

// Without branches, which would be mispredicted.
static int32_t list_live_neon(const float *input, int32_t cols, uint32_t *live) {
  int32_t count = 0;
  for (int32_t c = 0; c < cols; ++c) {
    live[count] = (uint32_t)c;
    count += input[c] != 0.0f;
  }
  return count;
}

#include "kernels/fully_connected_f32_blocks_template.h"
