// CONV_2D, int8, blocks of 1x4 weights four at a time, for MVE.
#include "spk/armv81m.h"
#include "spk/kernels_s8.h"

void spk_conv2d_s8_words__mve(const spk_window2d *w, const spk_requant *q, const int8_t *input,
                              const uint8_t *lanes, const int32_t *bias, int8_t *output,
                              void *scratch) {
  spk_mve_job job = {.w = w, .q = q, .lanes = lanes, .bias = bias, .block = 4};
#if SPK_MVE
  job.rows = spk_rows_s8_words__mve;
  job.floor_rows = spk_rows_s8_words_floor__mve;
#endif
  spk_conv_lanes_mve(&job, input, output, scratch);
}
