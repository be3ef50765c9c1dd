// Sparse CONV_2D in portable C. Sixteen output pixels at a time: their patches are laid side by
// side in scratch, (cols, 16), so that one nonzero weight meets sixteen neighbouring floats.
#include <string.h>

#include "formats/csr_f32.h"
#include "spk/kernels_f32.h"

enum { kPixels = 16 };

size_t spk_conv2d_f32_csr__c_scratch(const spk_layer *layer) {
  return (size_t)spk_layer_cols(layer) * kPixels * sizeof(float);
}

// Writes the patch of output pixel (y, x) into column `lane` of the tile.
static void load_patch(const spk_window2d *w, const float *image, int32_t y, int32_t x,
                       float *tile, int32_t lane) {
  float *to = tile + lane;
  for (int32_t ky = 0; ky < w->kernel_h; ++ky) {
    const int32_t in_y = y * w->stride_h + ky * w->dilation_h - w->pad_top;
    for (int32_t kx = 0; kx < w->kernel_w; ++kx) {
      const int32_t in_x = x * w->stride_w + kx * w->dilation_w - w->pad_left;
      const int inside = in_y >= 0 && in_y < w->in_h && in_x >= 0 && in_x < w->in_w;
      const float *pixel = inside ? image + ((ptrdiff_t)in_y * w->in_w + in_x) * w->in_c : NULL;
      for (int32_t c = 0; c < w->in_c; ++c, to += kPixels) *to = pixel ? pixel[c] : 0.0f;
    }
  }
}

static void row_times_tile(const spk_csr_f32_entry *entry, uint32_t count, const float *tile,
                           float *sum) {
  for (uint32_t i = 0; i < count; ++i) {
    const float value = entry[i].value;
    const float *column = tile + (size_t)entry[i].column * kPixels;
    for (int p = 0; p < kPixels; ++p) sum[p] += value * column[p];
  }
}

// All output channels of `count` pixels, stored from `output` on.
static void compute_tile(const spk_args *args, const float *tile, int32_t count,
                         float *output) {
  const spk_layer *layer = args->layer;
  const int32_t rows = layer->window.out_c;
  const float *bias = layer->bias;
  const uint32_t *start = spk_csr_f32_start(args->packed);
  const spk_csr_f32_entry *entries = spk_csr_f32_entries(args->packed, rows);
  for (int32_t o = 0; o < rows; ++o) {
    float sum[kPixels];
    for (int p = 0; p < kPixels; ++p) sum[p] = bias ? bias[o] : 0.0f;
    row_times_tile(entries + start[o], start[o + 1] - start[o], tile, sum);
    for (int32_t p = 0; p < count; ++p) {
      const float low = sum[p] < layer->act_min ? layer->act_min : sum[p];
      output[(ptrdiff_t)p * rows + o] = low > layer->act_max ? layer->act_max : low;
    }
  }
}

void spk_conv2d_f32_csr__c(const spk_args *args) {
  const spk_window2d *w = &args->layer->window;
  const int32_t pixels = w->out_h * w->out_w;
  float *tile = args->scratch;
  memset(tile, 0, spk_conv2d_f32_csr__c_scratch(args->layer));
  for (int32_t b = args->begin; b < args->end; ++b) {
    const float *image =
        (const float *)args->input + (ptrdiff_t)b * w->in_h * w->in_w * w->in_c;
    float *output = (float *)args->output + (ptrdiff_t)b * pixels * w->out_c;
    for (int32_t first = 0; first < pixels; first += kPixels) {
      const int32_t count = pixels - first < kPixels ? pixels - first : kPixels;
      for (int32_t p = 0; p < count; ++p)
        load_patch(w, image, (first + p) / w->out_w, (first + p) % w->out_w, tile, p);
      compute_tile(args, tile, count, output + (ptrdiff_t)first * w->out_c);
    }
  }
}
