// MAX_POOL_2D, int8, for Cortex-M4, M7 and M33: four channels at a time.
#include "spk/armv7em.h"
#include "spk/kernels_s8.h"
#include "spk/max_pool_s8.h"

#if SPK_ARMV7EM

#include <string.h>

SPK_INLINE uint32_t four_at(const int8_t *from) {
  uint32_t word;
  memcpy(&word, from, sizeof(word));  // an LDR, which may be unaligned
  return word;
}

SPK_INLINE uint32_t larger(uint32_t a, uint32_t b) {
  uint32_t most;
  __asm__("ssub8 %0, %1, %2\n\tsel %0, %1, %2" : "=&r"(most) : "r"(a), "r"(b) : "cc");
  return most;
}

static void lines(const int8_t *a, const int8_t *b, const int8_t *c, const int8_t *d,
                  int32_t count, int8_t *output) {
  for (const int8_t *const end = output + (count & ~3); output < end; output += 4) {
    const uint32_t first = larger(four_at(a), four_at(b));
    const uint32_t most = larger(first, larger(four_at(c), four_at(d)));
    memcpy(output, &most, sizeof(most));
    a += 4, b += 4, c += 4, d += 4;
  }
  for (int32_t i = 0; i < (count & 3); ++i) {
    const int32_t first = a[i] > b[i] ? a[i] : b[i], second = c[i] > d[i] ? c[i] : d[i];
    output[i] = (int8_t)(first > second ? first : second);
  }
}

void spk_max_pool2d_s8__armv7em(const spk_window2d *w, int32_t act_min, int32_t act_max,
                                const int8_t *input, int8_t *output) {
  spk_max_windows_s8(w, act_min, act_max, input, output, lines);
}

#else

void spk_max_pool2d_s8__armv7em(const spk_window2d *w, int32_t act_min, int32_t act_max,
                                const int8_t *input, int8_t *output) {
  spk_max_pool2d_s8__c(w, act_min, act_max, input, output);
}

#endif
