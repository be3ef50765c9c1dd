// Prints what the kernels say that they need: a line of numbers for each window, which are
// those of windows.h.
#include <stdio.h>

#include "spk/gated_s8.h"
#include "spk/kernels_s8.h"

static const spk_window2d windows[] = {
#include "windows.h"
};

int main(void) {
  for (size_t i = 0; i < sizeof windows / sizeof *windows; ++i) {
    const spk_window2d *const w = &windows[i];
    const spk_mul mul = {.size = 1};
    const spk_gated g = {.window = w,
                         .mul = w->out_c > 1 ? &mul : NULL,
                         .most_in = (w->in_c + 1) / 2,
                         .most_out = (w->out_c + 1) / 2,
                         .weight_bytes = 301,
                         .kernel_scratch = 77};
    const size_t sizes[] = {
        spk_conv2d_s8_dense__c_scratch(w),
        spk_conv2d_s8_dense__armv7em_scratch(w),
        spk_conv2d_s8_stream__armv7em_scratch(w),
        spk_conv2d_s8_groups__armv7em_scratch(w, 4),
        spk_conv2d_s8_groups__armv7em_scratch(w, 8),
        spk_conv2d_s8_gated__c_scratch(&g),
        spk_depthwise_conv2d_s8_dense__c_scratch(w),
        spk_depthwise_conv2d_s8_dense__armv7em_scratch(w),
        spk_fully_connected_s8_dense__armv7em_scratch(w->in_c),
        spk_fully_connected_s8_blocks__armv7em_scratch(w->in_c),
        spk_fully_connected_s8_code__armv7em_scratch(w->out_c, w->in_c, 0),
        spk_fully_connected_s8_code__armv7em_scratch(w->out_c, w->in_c, 1),
        spk_fully_connected_s8_twins__armv7em_scratch(w->in_c),
    };
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; ++k) printf("%u ", (unsigned)sizes[k]);
    printf("\n");
  }
  return 0;
}
