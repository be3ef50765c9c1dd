// The layout of tuples_s8 (spk/formats.h) for the kernels that read it.
#ifndef SPK_FORMATS_TUPLES_S8_H_
#define SPK_FORMATS_TUPLES_S8_H_

#include "spk/formats.h"

static inline const uint32_t *spk_tuples_s8_start(const void *blob) { return blob; }

static inline const int32_t *spk_tuples_s8_sum(const void *blob, int32_t rows) {
  return (const int32_t *)((const uint32_t *)blob + (size_t)rows + 1);
}

// One tuple is n columns and one word of weights.
static inline const uint32_t *spk_tuples_s8_tuples(const void *blob, int32_t rows) {
  return (const uint32_t *)blob + 2 * (size_t)rows + 1;
}

#endif  // SPK_FORMATS_TUPLES_S8_H_
