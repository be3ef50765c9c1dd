// CONV_2D, int8, dense, for Arm cores with the DSP extension.
#include "spk/armv7em.h"
#include "spk/kernels_s8.h"

#if SPK_ARMV7EM

size_t spk_conv2d_s8_dense__armv7em_scratch(const spk_window2d *w) {
  return spk_conv_tiles_armv7em_scratch(w);
}

static void multiply(const spk_conv_job *job, const int32_t *tile, int8_t *output) {
  const spk_window2d *const w = job->w;
  const int32_t columns = w->kernel_h * w->kernel_w * w->in_c;
  const int8_t *weights = job->weights;
  for (int32_t c = 0; c < w->out_c;) {
    const int32_t alike = job->count == SPK_TILE_PIXELS ? job->channels[c].alike : 0;
    if (alike > 0) {
      weights = spk_rows_s8_dense__armv7em(tile, spk_narrow_run(job->q), weights,
                                           &job->channels[c], output + c, w->out_c, columns);
      c += alike;
    } else {
      const spk_tile_end end = {
          job->bias != NULL ? job->bias[c] : 0, columns, c, job->count, w->out_c, output + c};
      spk_tile_s8_dense_row(job->q, tile, weights, &end);
      weights += columns;
      ++c;
    }
  }
}

void spk_conv2d_s8_dense__armv7em(const spk_window2d *w, const spk_requant *q,
                                  const int8_t *input, const int8_t *weights,
                                  const int32_t *bias, int8_t *output, void *scratch) {
  spk_conv_job job = {w, q, weights, bias, NULL, 0, 1, multiply};
  spk_conv_tiles_armv7em(&job, input, output, scratch);
}

#else

size_t spk_conv2d_s8_dense__armv7em_scratch(const spk_window2d *w) {
  return spk_conv2d_s8_dense__c_scratch(w);
}

void spk_conv2d_s8_dense__armv7em(const spk_window2d *w, const spk_requant *q,
                                  const int8_t *input, const int8_t *weights,
                                  const int32_t *bias, int8_t *output, void *scratch) {
  spk_conv2d_s8_dense__c(w, q, input, weights, bias, output, scratch);
}

#endif
