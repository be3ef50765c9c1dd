// CONV_2D, int8, weights that are instructions, HVX: the exporter writes the products of a
// layer as packets; here is what all such layers share.
//
// A chunk of rows goes over the four vectors of a tile's 128 pixels, one by one, and leaves its
// sums in scratch: (4, rows, 32 pixels), int32. Then they are scaled, row by row. Before the
// sums `rows` vectors are free: what the code stores for the pixels before the first.
#include "spk/conv2d_hvx.h"
#include "spk/kernels_s8.h"
#include "spk/rows_hvx.h"

#if defined(__HVX__)

// A row takes ten packets, eight of them for its two multiplications (see spk/rows_hvx.h):
// beside them the row before is finished, and sums of the next are loaded where a register is
// free. v23 is the bias.
// clang-format off
#define FINISH(early, late)                             \
  "{ v24.w = vmpye(v0.w, v28.uh)\n\t"                   \
  "  v20.h = vadd(v20.h, v29.h):sat\n\t"                \
  "  v21.h = vadd(v21.h, v29.h):sat\n\t"                \
  "  r5:4 = memd(%[record]++#8) }\n\t"                  \
  "{ v25.w = vmpye(v1.w, v28.uh)\n\t"                   \
  "  v20.b = vpack(v21.h, v20.h):sat\n\t"               \
  "  v3.w = vadd(v3.w, v23.w)\n\t"                      \
  "  r3:2 = memd(%[record]++#8) }\n\t"                  \
  "{ v24.w += vmpyo(v0.w, v28.h):<<1:rnd:sat:shift\n\t" \
  "  v2.w = vadd(v2.w, v23.w)\n\t"                      \
  "  v20.b = vdeal(v20.b) }\n\t"                        \
  "{ v25.w += vmpyo(v1.w, v28.h):<<1:rnd:sat:shift\n\t" \
  "  v24.w += vasr(v0.w, %[sign])\n\t"                  \
  "  v20.b = vmax(v20.b, v30.b) }\n\t"                  \
  "{ v26.w = vmpye(v2.w, v28.uh)\n\t"                   \
  "  v25.w += vasr(v1.w, %[sign])\n\t"                  \
  "  v20.b = vmin(v20.b, v31.b)\n\t"                    \
  "  vmem(%[out]++#1) = v20.new }\n\t"                  \
  "{ v26.w += vmpyo(v2.w, v28.h):<<1:rnd:sat:shift\n\t" \
  "  v0 = vmem(%[sums]++m0) }\n\t"                      \
  "{ v27.w = vmpye(v3.w, v28.uh)\n\t"                   \
  "  v26.w += vasr(v2.w, %[sign])\n\t"                  \
  "  v1 = vmem(%[sums]++m0) }\n\t"                      \
  early                                                 \
  "{ v27.w += vmpyo(v3.w, v28.h):<<1:rnd:sat:shift\n\t" \
  "  v20.h = vasr(v26.w, v24.w, r2):rnd:sat\n\t"        \
  "  v2 = vmem(%[sums]++m0) }\n\t"                      \
  "{ v27.w += vasr(v3.w, %[sign])\n\t"                  \
  "  v23 = vsplat(r5)\n\t"                              \
  "  v28 = vsplat(r4)\n\t"                              \
  "  v3 = vmem(%[sums]++m1) }\n\t"                      \
  late                                                  \
  "{ v21.h = vasr(v27.w, v25.w, r2):rnd:sat\n\t"        \
  "  v0.w = vadd(v0.w, v23.w)\n\t"                      \
  "  v1.w = vadd(v1.w, v23.w) } :endloop0\n\t"
// clang-format on

#define SCALE(early, late)                                       \
  SPK_HVX_CONSTANTS                                              \
  "m0 = %[step]\n\t"                                             \
  "m1 = %[back]\n\t"                                             \
  "{ v23 = vsplat(%[bias])\n\t  v0 = vmem(%[sums]++m0) }\n\t"    \
  "{ v0.w = vadd(v0.w, v23.w)\n\t  v1 = vmem(%[sums]++m0) }\n\t" \
  "{ v1.w = vadd(v1.w, v23.w)\n\t  v2 = vmem(%[sums]++m0) }\n\t" \
  "{ v3 = vmem(%[sums]++m1) }\n\t"                               \
  "loop0(1f, %[rows])\n\t"                                       \
  ".p2align 4\n"                                                 \
  "1:\n\t" FINISH(early, late) SPK_HVX_FLUSH("vdeal")

#define RUN(early, late)                                                                       \
  __asm__ volatile(                                                                            \
      SCALE(early, late)                                                                       \
      : [sums] "+&r"(sums), [record] "+&r"(record), [out] "+&r"(out)                           \
      : [step] "r"(step), [back] "r"(SPK_HVX_BYTES - 3 * step), [bias] "r"(begin->bias),       \
        [rows] "r"(rows), [sign] "r"(31), [zero] "r"(job->offset), [low] "r"(job->low),        \
        [high] "r"(job->high), [multiplier] "r"(begin->multiplier)                             \
      : "v0", "v1", "v2", "v3", "v20", "v21", "v23", "v24", "v25", "v26", "v27", "v28", "v29", \
        "v30", "v31", "r2", "r3", "r4", "r5", "r6", "m0", "m1", "lc0", "sa0", "memory")

// Scales the sums of `rows` rows from `first` on.
static void scale(const spk_hvx_rows *job, const uint8_t *sums, int32_t first, int32_t rows) {
  const spk_hvx_record *const begin = job->records + first, *record = begin + 1;
  HVX_Vector *out = job->sums + first - 1;
  const int32_t step = rows * SPK_HVX_BYTES;
  if (job->wide) {
    RUN(SPK_HVX_WIDE_EARLY, SPK_HVX_WIDE_LATE);
  } else {
    RUN("", "");
  }
}

// From the last chunk to the first: each stores a vector without meaning before its own.
static void multiply(const spk_hvx_rows *job) {
  const spk_hvx_code *const code = job->code;
  uint8_t *const sums = (uint8_t *)job->work + code->chunk_rows * SPK_HVX_BYTES;
  int32_t chunk = code->chunks - 1, rows = job->rows - chunk * code->chunk_rows;
  for (; chunk >= 0; --chunk, rows = code->chunk_rows) {
    code->products(job->base, code->literals, sums, chunk);
    scale(job, sums, chunk * code->chunk_rows, rows);
  }
}

#endif  // __HVX__

void spk_conv2d_s8_code__hvx(const spk_window2d *w, const spk_requant *q, const int8_t *input,
                             const spk_hvx_code *code, int8_t *output, void *scratch) {
#if defined(__HVX__)
  const spk_hvx_kernel kernel = {.at_once = 1, .code = code, .multiply = multiply};
  spk_hvx_conv2d(w, q, input, NULL, NULL, output, scratch, &kernel);
#else  // the code is for no other processor
  (void)w, (void)q, (void)input, (void)code, (void)output, (void)scratch;
#endif
}
