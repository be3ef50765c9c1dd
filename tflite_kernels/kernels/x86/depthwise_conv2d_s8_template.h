// Dense int8 DEPTHWISE_CONV_2D for one vector length and one way to multiply (see
// depthwise_s8.h). The including file defines TARGET, VECTOR, LANES, DOT(sum, x, weights),
// LOAD, CHANNELS, CHANNELS_OF, FINISH, NAME(x), INPUT_BIAS and FLIP, what DOT adds to each
// input, and how, and
//   pair, pair_of(x0, x1, n)          two neighbouring pixels of n channels, interleaved
//   store_quads(a, b, to, groups)     two pairs -> a quad of each channel
//   store_pixels(bytes, to, pitch, pixels, channels)    up to four pixels, LANES channels
//
// One unit of work is a band of output rows of one image and four groups of LANES channels. Its
// input rows become quads once and stay in a ring until the window has passed.
typedef struct NAME(unit) {
  const spk_layer *layer;
  spk_depthwise_shape shape;
  const int8_t *image;  // at the first channel that is read
  int8_t *output;       // of the image, at the first channel
  int32_t channel, channels, groups;
  uint8_t *rows, *padding;  // quads: the ring, and a row outside of the image
  int8_t *zero;             // a pixel outside of the image
  int8_t *repeated;         // an input row, each channel once for each of its outputs
} NAME(unit);

// Bytes of a position, and of a row of them.
static inline size_t NAME(pitch)(const NAME(unit) * u) { return (size_t)u->groups * LANES * 4; }

static inline size_t NAME(row_bytes)(const NAME(unit) * u) {
  return (size_t)u->shape.positions * NAME(pitch)(u);
}

// Channel multipliers above one: output channel c reads input channel c / multiplier.
static const int8_t *NAME(repeat)(const NAME(unit) * u, const int8_t *row) {
  const spk_window2d *w = &u->layer->window;
  const int32_t multiplier = w->out_c / w->in_c, first = u->channel % multiplier;
  for (int32_t x = 0; x < w->in_w; ++x, row += w->in_c) {
    int8_t *to = u->repeated + (size_t)x * LANES * 4;
    for (int32_t c = 0, at = first, from = 0; c < u->channels; ++c) {
      to[c] = row[from];
      if (++at == multiplier) at = 0, ++from;
    }
  }
  return u->repeated;
}

TARGET static void NAME(make_quads)(const NAME(unit) * u, int32_t y) {
  const spk_window2d *w = &u->layer->window;
  const int8_t *row = u->image + (size_t)y * w->in_w * w->in_c;
  size_t pixel = (size_t)w->in_c;
  if (w->out_c != w->in_c) {
    row = NAME(repeat)(u, row);
    pixel = LANES * 4;
  }
  uint8_t *to = u->rows + (size_t)(y % u->shape.ring) * NAME(row_bytes)(u);
#define PIXEL(x) ((uint32_t)(x) < (uint32_t)w->in_w ? row + (size_t)(x) * pixel : u->zero)
  int32_t x = -w->pad_left;
  pair left = pair_of(PIXEL(x), PIXEL(x + 1), u->channels);
  for (int32_t p = 0; p < u->shape.positions; ++p, to += NAME(pitch)(u)) {
    x += 2;
    const pair right = pair_of(PIXEL(x), PIXEL(x + 1), u->channels);
    store_quads(left, right, to, u->groups);
    left = right;
  }
#undef PIXEL
}

// Sums of `tile` positions from `position` on -> outputs. `rows` are the window's, which is
// `kernel_h` high and `quads` wide.
TARGET static inline __attribute__((always_inline)) void NAME(tile)(
    const NAME(unit) * u, const uint8_t *const *rows, const int8_t *weights, const CHANNELS *c,
    int32_t position, int32_t group, int8_t *output, const int tile, const int variants,
    const int32_t kernel_h, const int32_t quads) {
  const size_t pitch = NAME(pitch)(u);
  const size_t at = (size_t)position * pitch + (size_t)group * LANES * 4;
  VECTOR sum[8];
#pragma GCC unroll 8
  for (int i = 0; i < tile * variants; ++i) sum[i] = c->first;
  for (int32_t ky = 0; ky < kernel_h; ++ky) {
    const uint8_t *x = rows[ky] + at;
    for (int32_t q = 0; q < quads; ++q, x += 2 * pitch) {
#pragma GCC unroll 8
      for (int v = 0; v < variants; ++v, weights += LANES * 4) {
        const VECTOR taps = LOAD(weights);
#pragma GCC unroll 8
        for (int t = 0; t < tile; ++t)
          sum[t * variants + v] = DOT(sum[t * variants + v], LOAD(x + t * pitch), taps);
      }
    }
  }
  const int32_t channels = u->channels - group * LANES;
  const size_t pixel = (size_t)u->layer->window.out_c;
#pragma GCC unroll 8
  for (int i = 0; i < tile * variants; i += 4) {
    const int32_t first = position * variants + i;
    store_pixels(FINISH(sum + i, c), output + (size_t)first * pixel, pixel,
                 u->layer->window.out_w - first, channels);
  }
}

// One output row of one group.
TARGET static inline __attribute__((always_inline)) void NAME(row)(
    const NAME(unit) * u, const uint8_t *const *rows, const int8_t *weights, const CHANNELS *c,
    int32_t group, int8_t *output, const int variants, const int32_t kernel_h,
    const int32_t quads) {
  const int32_t used = (u->layer->window.out_w - 1) / variants + 1;
  int32_t p = 0;
  output += group * LANES;
  const int tile = 8 / variants;  // eight outputs, or in the end four
  for (; p + tile / 2 < used; p += tile)
    NAME(tile)(u, rows, weights, c, p, group, output, tile, variants, kernel_h, quads);
  if (p < used)
    NAME(tile)(u, rows, weights, c, p, group, output, tile / 2, variants, kernel_h, quads);
}

// The same with the numbers of the usual windows, 3x3 and 5x5, for the compiler.
TARGET static void NAME(any_row)(const NAME(unit) * u, const uint8_t *const *rows,
                                 const int8_t *weights, const CHANNELS *c, int32_t group,
                                 int8_t *output) {
  const int32_t height = u->layer->window.kernel_h, quads = u->shape.quads;
  const int twice = u->shape.variants == 2;
  if (height == 3 && quads == 1 && twice)
    NAME(row)(u, rows, weights, c, group, output, 2, 3, 1);
  else if (height == 3 && quads == 1)
    NAME(row)(u, rows, weights, c, group, output, 1, 3, 1);
  else if (height == 5 && quads == 2 && twice)
    NAME(row)(u, rows, weights, c, group, output, 2, 5, 2);
  else if (height == 5 && quads == 2)
    NAME(row)(u, rows, weights, c, group, output, 1, 5, 2);
  else if (twice)
    NAME(row)(u, rows, weights, c, group, output, 2, height, quads);
  else
    NAME(row)(u, rows, weights, c, group, output, 1, height, quads);
}

TARGET static void NAME(rows)(const NAME(unit) * u, const CHANNELS *c, const int8_t *weights,
                              int32_t first, int32_t last) {
  const spk_window2d *w = &u->layer->window;
  const size_t group_bytes =
      (size_t)w->kernel_h * u->shape.quads * u->shape.variants * LANES * 4;
  const uint8_t *rows[64];
  int32_t next = 0;
  for (int32_t y = first; y < last; ++y) {
    const int32_t top = y * w->stride_h - w->pad_top;
    const int32_t bottom = top + u->shape.ring < w->in_h ? top + u->shape.ring : w->in_h;
    for (next = next < top ? top : next; next < bottom; ++next) NAME(make_quads)(u, next);
    for (int32_t ky = 0; ky < w->kernel_h; ++ky) {
      const int32_t in_y = top + ky * w->dilation_h;
      rows[ky] = in_y < 0 || in_y >= w->in_h
                     ? u->padding
                     : u->rows + (size_t)(in_y % u->shape.ring) * NAME(row_bytes)(u);
    }
    int8_t *output = u->output + (size_t)y * w->out_w * w->out_c;
    for (int32_t group = 0; group < u->groups; ++group)
      NAME(any_row)(u, rows, weights + (size_t)group * group_bytes, &c[group], group, output);
  }
}

TARGET static void NAME(run_unit)(const spk_args *args, const spk_depthwise_shape *s,
                                  int32_t index) {
  const spk_layer *layer = args->layer;
  const spk_window2d *w = &layer->window;
  const int32_t band = index % s->bands, chunk = index / s->bands % s->chunks;
  const size_t image = (size_t)(index / s->bands / s->chunks);
  const int32_t channel = chunk * 4 * LANES, rest = w->out_c - channel;
  const int32_t channels = rest < 4 * LANES ? rest : 4 * LANES;
  const size_t group = (size_t)channel / LANES;
  const int32_t zero_point = -layer->requant.input_offset;
  NAME(unit)
  u = {.layer = layer,
       .shape = *s,
       .channel = channel,
       .channels = channels,
       .groups = (channels - 1) / LANES + 1};
  u.image = (const int8_t *)args->input + image * w->in_h * w->in_w * w->in_c +
            channel / (w->out_c / w->in_c);
  u.output = (int8_t *)args->output + image * w->out_h * w->out_w * w->out_c + channel;
  u.rows = args->scratch;
  u.padding = u.rows + (size_t)s->ring * NAME(row_bytes)(&u);
  u.zero = (int8_t *)u.padding + NAME(row_bytes)(&u);
  u.repeated = u.zero + 4 * LANES;
  memset(u.padding, (uint8_t)zero_point ^ FLIP, NAME(row_bytes)(&u));
  memset(u.zero, zero_point, 4 * LANES);
  const spk_depthwise_ends ends =
      spk_depthwise_ends_of(args->packed, (size_t)s->groups * LANES);
  CHANNELS c[4];
  for (int32_t g = 0; g < u.groups; ++g)
    c[g] = CHANNELS_OF(&layer->requant, &ends, (size_t)(channel + g * LANES), INPUT_BIAS);
  const size_t taps = (size_t)w->kernel_h * s->quads * s->variants * LANES * 4;
  NAME(rows)(&u, c, (const int8_t *)args->packed + s->weights + group * taps,
             (int32_t)((int64_t)w->out_h * band / s->bands),
             (int32_t)((int64_t)w->out_h * (band + 1) / s->bands));
}

TARGET static void NAME(run)(const spk_args *args) {
  const spk_depthwise_shape shape = spk_depthwise_shape_of(args->layer, LANES);
  for (int32_t unit = args->begin; unit < args->end; ++unit) NAME(run_unit)(args, &shape, unit);
}
