// MAX_POOL_2D, int8, channel by channel with the pixels of a window side by side.
#include "spk/kernels_s8.h"
#include "spk/max_pool_s8.h"

static void lines(const int8_t *a, const int8_t *b, const int8_t *c, const int8_t *d,
                  int32_t count, int8_t *output) {
  for (int32_t i = 0; i < count; ++i) {
    int32_t most = a[i];
    const int32_t second = b[i], third = c[i], fourth = d[i];
    if (second > most) most = second;
    if (third > most) most = third;
    if (fourth > most) most = fourth;
    output[i] = (int8_t)most;
  }
}

void spk_max_pool2d_s8__c(const spk_window2d *w, int32_t act_min, int32_t act_max,
                          const int8_t *input, int8_t *output) {
  spk_max_windows_s8(w, act_min, act_max, input, output, lines);
}
