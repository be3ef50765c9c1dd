// Tiles of pixels for convolutions with MVE (see spk/armv81m.h).
#include <string.h>

#include "spk/armv81m.h"

spk_mve_tile spk_mve_new_tile(const spk_window2d *w, int32_t block, int32_t zero_point,
                              void *memory) {
  const int32_t row_columns = w->kernel_w * w->in_c;
  int8_t *const nothing = memory;
  memset(nothing, zero_point, (size_t)row_columns);
  return (spk_mve_tile){.w = w,
                        .nothing = nothing,
                        .bytes = nothing + spk_mve_padded(row_columns),
                        .columns = w->kernel_h * row_columns,
                        .row_columns = row_columns,
                        .block = block};
}

#if SPK_MVE

// Words 32 bytes apart. The store adds 128 to its addresses before it takes them.
SPK_INLINE void spread_words(int8_t *to, const int8_t *from, int32_t count) {
  static const int32_t kBefore[4] = {-128, -96, -64, -32};
  __asm__ volatile(
      "vldrw.u32 q1, [%[before]]\n\t"
      "vadd.i32 q1, q1, %[to]\n\t"
      "wlstp.8 lr, %[count], 2f\n"
      "1: vldrb.u8 q0, [%[from]], #16\n\t"
      "vstrw.32 q0, [q1, #128]!\n\t"
      "letp lr, 1b\n"
      "2:"
      : [from] "+r"(from)
      : [to] "r"(to), [count] "r"(count), [before] "r"(kBefore)
      : "lr", "d0", "d1", "d2", "d3", "cc", "memory");
}

#else

static void spread_words(int8_t *to, const int8_t *from, int32_t count) {
  for (int32_t i = 0; i < count; i += 4) memcpy(to + 8 * i, from + i, 4);
}

#endif

// `count` columns of pixel `p` from `column` on.
SPK_INLINE void put(const spk_mve_tile *t, int32_t p, int32_t column, const int8_t *from,
                    int32_t count) {
  if (t->block == 1) {
    spk_copy_mve(t->bytes + p * t->columns + column, from, count);
  } else {
    spread_words(t->bytes + column * SPK_MVE_PIXELS + 4 * p, from, count);
  }
}

// A row of taps of pixel p, of which the first reads column x of an input row that may be NULL.
static void pack_row(const spk_mve_tile *t, int32_t p, int32_t column, const int8_t *row,
                     int32_t x) {
  const spk_window2d *const w = t->w;
  if (row == NULL) {
    put(t, p, column, t->nothing, t->row_columns);
  } else if (w->dilation_w == 1 && x >= 0 && x + w->kernel_w <= w->in_w) {
    put(t, p, column, row + (ptrdiff_t)x * w->in_c, t->row_columns);
  } else {
    for (int32_t kx = 0; kx < w->kernel_w; ++kx, x += w->dilation_w, column += w->in_c) {
      const int inside = (uint32_t)x < (uint32_t)w->in_w;
      put(t, p, column, inside ? row + (ptrdiff_t)x * w->in_c : t->nothing, w->in_c);
    }
  }
}

void spk_pack_pixel_mve(const spk_mve_tile *t, int32_t p, const int8_t *input, int32_t pixel) {
  const spk_window2d *const w = t->w;
  const int32_t line = pixel / w->out_w, b = line / w->out_h;
  const int32_t x = (pixel - line * w->out_w) * w->stride_w - w->pad_left;
  int32_t y = (line - b * w->out_h) * w->stride_h - w->pad_top;
  const int8_t *const image = input + (ptrdiff_t)b * w->in_h * w->in_w * w->in_c;
  for (int32_t ky = 0; ky < w->kernel_h; ++ky, y += w->dilation_h) {
    const int inside = (uint32_t)y < (uint32_t)w->in_h;
    const int8_t *const row = inside ? image + (ptrdiff_t)y * w->in_w * w->in_c : NULL;
    pack_row(t, p, ky * t->row_columns, row, x);
  }
}
