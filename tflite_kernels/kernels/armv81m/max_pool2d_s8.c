// MAX_POOL_2D, int8, with MVE: sixteen channels at a time.
#include "spk/armv81m.h"
#include "spk/kernels_s8.h"
#include "spk/max_pool_s8.h"

#if SPK_MVE

static void lines(const int8_t *a, const int8_t *b, const int8_t *c, const int8_t *d,
                  int32_t count, int8_t *output) {
  __asm__ volatile(
      "wlstp.8 lr, %[count], 2f\n"
      "1: vldrb.u8 q0, [%[a]], #16\n\t"
      "vldrb.u8 q1, [%[b]], #16\n\t"
      "vldrb.u8 q2, [%[c]], #16\n\t"
      "vldrb.u8 q3, [%[d]], #16\n\t"
      "vmax.s8 q0, q0, q1\n\t"
      "vmax.s8 q2, q2, q3\n\t"
      "vmax.s8 q0, q0, q2\n\t"
      "vstrb.8 q0, [%[to]], #16\n\t"
      "letp lr, 1b\n"
      "2:"
      : [a] "+r"(a), [b] "+r"(b), [c] "+r"(c), [d] "+r"(d), [to] "+r"(output)
      : [count] "r"(count)
      : "lr", "d0", "d1", "d2", "d3", "d4", "d5", "d6", "d7", "cc", "memory");
}

void spk_max_pool2d_s8__mve(const spk_window2d *w, int32_t act_min, int32_t act_max,
                            const int8_t *input, int8_t *output) {
  spk_max_windows_s8(w, act_min, act_max, input, output, lines);
}

#else

void spk_max_pool2d_s8__mve(const spk_window2d *w, int32_t act_min, int32_t act_max,
                            const int8_t *input, int8_t *output) {
  spk_max_pool2d_s8__c(w, act_min, act_max, input, output);
}

#endif
