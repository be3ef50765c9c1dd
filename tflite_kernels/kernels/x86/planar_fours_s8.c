#include "kernels/x86/planar_fours_s8.h"

#include <string.h>

#include "formats/blocks4_s8.h"
#include "kernels/x86/split_blocks4_s8.h"

enum { kWord = 4 };

// Input rows with their horizontal padding, for a view by rows of the window.
static const size_t kMaxPadded = (size_t)4 << 20;

static size_t padded_row(const spk_window2d *w) {
  const size_t words = ((size_t)w->kernel_w * w->in_c + kWord - 1) / kWord;
  const size_t read = (size_t)(w->out_w - 1) * w->stride_w * w->in_c + words * kWord;
  const size_t held = (size_t)(w->pad_left + w->in_w) * w->in_c;
  return read > held ? read : held;
}

static size_t padded_bytes(const spk_layer *layer) {
  return layer->window.in_h * padded_row(&layer->window);
}

int32_t spk_planar_fours_s8_view(const spk_layer *layer, spk_layer *view) {
  spk_window2d *w = &view->window;
  const int32_t run = layer->window.kernel_w * layer->window.in_c;
  *view = *layer;
  if (w->in_c % kSpkFour == 0) {
    w->in_c /= kSpkFour;
    return spk_layer_cols(layer);
  }
  // A pixel is the row of the window, as words.
  if (w->kernel_h == 1 || w->dilation_w > 1 || padded_bytes(layer) > kMaxPadded) return 0;
  w->in_c = (run - 1) / kWord + 1;
  w->in_w = w->out_w;
  w->kernel_w = w->stride_w = 1;
  w->pad_left = 0;
  return run;
}

static int32_t plan_of(const spk_layer *layer, spk_planar *plan) {
  spk_layer view;
  const int32_t run = spk_planar_fours_s8_view(layer, &view);
  return run && spk_planar_plan(&view, kWord, plan) == SPK_OK ? run : 0;
}

static void *tail_of(const void *packed) {
  return (uint8_t *)packed + spk_blocks4_s8_bytes(packed);
}

static size_t pack_size(const spk_layer *layer, const void *weights, int32_t height,
                        int splits) {
  spk_planar plan;
  const int32_t run = plan_of(layer, &plan);
  if (!run) return 0;
  const int32_t rows = layer->window.out_c, cols = spk_layer_cols(layer);
  const size_t bytes = spk_blocks4_s8_pack_size(weights, rows, cols, run, height);
  if (bytes == 0) return 0;
  const size_t extra =
      splits ? spk_split_blocks4_s8_extra(weights, rows, cols, run, height) : 0;
  return bytes + extra + spk_channels_s8_tail_bytes(layer);
}

static spk_status pack(const spk_layer *layer, const void *weights, int32_t height, int splits,
                       void *packed, size_t bytes) {
  spk_planar plan;
  const int32_t run = plan_of(layer, &plan);
  if (!run) return SPK_ERR_UNSUPPORTED;
  if (bytes < pack_size(layer, weights, height, splits)) return SPK_ERR_SPACE;
  const spk_status status = spk_blocks4_s8_pack(
      weights, layer->window.out_c, spk_layer_cols(layer), run, height, packed, bytes);
  if (status != SPK_OK) return status;
  const uint32_t count = ((const spk_blocks4_s8_header *)packed)->blocks;
  uint32_t *block = (uint32_t *)spk_blocks4_s8_blocks(packed);
  for (uint32_t i = 0; i < count; ++i, block += spk_blocks4_s8_words(height))
    block[0] = spk_planar_offset(&plan, block[0]) * kWord;
  if (splits) spk_split_blocks4_s8(packed);
  spk_channels_s8_fill_tail(layer, weights, spk_blocks4_s8_first(packed),
                            ((const spk_blocks4_s8_header *)packed)->groups, height,
                            tail_of(packed));
  return SPK_OK;
}

#define SPK_PLANAR_FOURS_PACKER(name, height, splits)                            \
  size_t spk_planar_s8_##name##height##x4_pack_size(const spk_layer *layer,      \
                                                    const void *weights) {       \
    return pack_size(layer, weights, height, splits);                            \
  }                                                                              \
  spk_status spk_planar_s8_##name##height##x4_pack(                              \
      const spk_layer *layer, const void *weights, void *packed, size_t bytes) { \
    return pack(layer, weights, height, splits, packed, bytes);                  \
  }
SPK_PLANAR_FOURS_PACKER(blocks, 1, 0)
SPK_PLANAR_FOURS_PACKER(blocks, 2, 0)
SPK_PLANAR_FOURS_PACKER(blocks, 4, 0)
SPK_PLANAR_FOURS_PACKER(split, 1, 1)
SPK_PLANAR_FOURS_PACKER(split, 2, 1)
SPK_PLANAR_FOURS_PACKER(split, 4, 1)

static int is_by_rows(const spk_layer *layer) { return layer->window.in_c % kSpkFour != 0; }

size_t spk_planar_fours_s8_scratch(const spk_layer *layer) {
  spk_layer view;
  if (!spk_planar_fours_s8_view(layer, &view)) return 0;
  return spk_planar_scratch(&view, kWord) + (is_by_rows(layer) ? padded_bytes(layer) : 0);
}

int32_t spk_planar_fours_s8_units(const spk_layer *layer) {
  spk_layer view;
  return spk_planar_fours_s8_view(layer, &view) ? spk_planar_units(&view, kWord) : 0;
}

static void copy_padded(const spk_layer *layer, const int8_t *image, int8_t *to) {
  const spk_window2d *w = &layer->window;
  const size_t row = padded_row(w), left = (size_t)w->pad_left * w->in_c;
  const size_t bytes = (size_t)w->in_w * w->in_c, right = row - left - bytes;
  const int zero_point = -layer->requant.input_offset;
  for (int32_t y = 0; y < w->in_h; ++y, to += row, image += bytes) {
    memset(to, zero_point, left);
    memcpy(to + left, image, bytes);
    memset(to + left + bytes, zero_point, right);
  }
}

// The units of one image at a time.
static void run_by_rows(const spk_args *args, const spk_args *inner,
                        const spk_planar_kernel *kernel) {
  const spk_layer *layer = args->layer;
  const spk_window2d *w = &layer->window;
  const int32_t bands = spk_planar_units(inner->layer, kWord) / w->batch;
  int8_t *padded = (int8_t *)args->scratch + spk_planar_scratch(inner->layer, kWord);
  for (int32_t unit = args->begin, end; unit < args->end; unit = end) {
    const int32_t image = unit / bands, after = (image + 1) * bands;
    end = after < args->end ? after : args->end;
    copy_padded(layer,
                (const int8_t *)args->input + (size_t)image * w->in_h * w->in_w * w->in_c,
                padded);
    spk_args one = *inner;
    one.input = padded;
    one.output = (int8_t *)args->output + (size_t)image * w->out_h * w->out_w * w->out_c;
    one.begin = unit - image * bands;
    one.end = end - image * bands;
    spk_planar_run(&one, kernel);
  }
}

void spk_planar_fours_s8_run(const spk_args *args, const spk_planar_kernel *kernel) {
  spk_layer view;
  if (!spk_planar_fours_s8_view(args->layer, &view)) return;
  const spk_channels_s8 channels =
      spk_channels_s8_of(args->layer, args->packed, tail_of(args->packed));
  spk_planar_kernel complete = *kernel;
  complete.element = kWord;
  complete.output = 1;
  complete.channels = kSpkMaxTileChannels;
  complete.padding = -args->layer->requant.input_offset & 0xff;  // pack() flips it
  spk_args inner = *args;
  inner.layer = &view;
  inner.packed = &channels;
  if (!is_by_rows(args->layer)) {
    spk_planar_run(&inner, &complete);
    return;
  }
  complete.pixel_bytes = (size_t)args->layer->window.stride_w * args->layer->window.in_c;
  complete.row_bytes = padded_row(&args->layer->window);
  run_by_rows(args, &inner, &complete);
}
