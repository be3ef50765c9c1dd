// CONV_2D, int8, one weight in each group of 4 or 8 inputs (1:4 and 1:8), for Arm cores with
// the DSP extension.
#include "spk/armv7em.h"
#include "spk/groups_s8.h"
#include "spk/kernels_s8.h"

#if SPK_ARMV7EM

// The last groups of a row are read four at a time: up to so many columns beyond its end.
static size_t beyond(int32_t m) {
  return (size_t)(4 * m - 1) * SPK_TILE_WORDS * sizeof(int32_t);
}

size_t spk_conv2d_s8_groups__armv7em_scratch(const spk_window2d *w, int32_t m) {
  return spk_conv_tiles_armv7em_scratch(w) + (size_t)m * SPK_TILE_WORDS * sizeof(int32_t) +
         beyond(m);
}

static void multiply(const spk_conv_job *job, const int32_t *tile, int8_t *output) {
  const spk_window2d *const w = job->w;
  const int32_t m = job->group, columns = w->kernel_h * w->kernel_w * w->in_c;
  const int32_t of_row = (columns + m - 1) / m, of_unit = SPK_UNIT_COLUMNS / m;
  const int32_t rest = (of_row % of_unit + 3) / 4 * 4, unit_bytes = 4 + of_unit;
  const int32_t most = spk_narrow_run(job->q) / of_unit - (rest > 0);
  const size_t column = SPK_TILE_WORDS * sizeof(int32_t);
  const int is_aligned = (uintptr_t)tile % ((size_t)m * column) == 0;
  const uint8_t *groups = job->weights;
  for (int32_t c = 0; c < w->out_c;) {
    const int fits = is_aligned && job->count == SPK_TILE_PIXELS;
    const int32_t alike = fits ? job->channels[c].alike : 0;
    if (alike > 0) {
      spk_rows_s8_groups *const rows =
          m == 4 ? spk_rows_s8_groups4__armv7em : spk_rows_s8_groups8__armv7em;
      groups = rows(tile, most * unit_bytes, groups, &job->channels[c], output + c, w->out_c,
                    of_row / of_unit * unit_bytes, rest);
      c += alike;
    } else {
      const spk_tile_end end = {
          job->bias != NULL ? job->bias[c] : 0, columns, c, job->count, w->out_c, output + c};
      groups = spk_tile_s8_groups_row(job->q, m, tile, groups, &end);
      ++c;
    }
  }
}

void spk_conv2d_s8_groups__armv7em(const spk_window2d *w, int32_t m, const spk_requant *q,
                                   const int8_t *input, const uint8_t *groups,
                                   const int32_t *bias, int8_t *output, void *scratch) {
  spk_conv_job job = {w, q, groups, bias, NULL, 0, m, multiply};
  spk_conv_tiles_armv7em(&job, input, output, scratch);
}

#else

size_t spk_conv2d_s8_groups__armv7em_scratch(const spk_window2d *w, int32_t m) {
  return spk_conv2d_s8_groups__c_scratch(w, m);
}

void spk_conv2d_s8_groups__armv7em(const spk_window2d *w, int32_t m, const spk_requant *q,
                                   const int8_t *input, const uint8_t *groups,
                                   const int32_t *bias, int8_t *output, void *scratch) {
  spk_conv2d_s8_groups__c(w, m, q, input, groups, bias, output, scratch);
}

#endif
