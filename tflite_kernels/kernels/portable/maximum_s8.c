// MAXIMUM, int8, of values of one scale.
#include "spk/kernels_s8.h"

void spk_maximum_s8__c(int32_t size, int32_t period, const int8_t *a, const int8_t *b,
                       int8_t *output) {
  for (int32_t at = 0; at < size; at += period) {
    for (int32_t i = 0; i < period; ++i) output[at + i] = a[at + i] > b[i] ? a[at + i] : b[i];
  }
}
