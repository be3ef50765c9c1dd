// The layout of csr_f32 (spk/formats.h) for the kernels that read it.
#ifndef SPK_FORMATS_CSR_F32_H_
#define SPK_FORMATS_CSR_F32_H_

#include "spk/formats.h"

typedef struct spk_csr_f32_entry {
  uint32_t column;
  float value;
} spk_csr_f32_entry;

// start[r] .. start[r + 1] are the entries of row r.
static inline const uint32_t *spk_csr_f32_start(const void *blob) { return blob; }

static inline const spk_csr_f32_entry *spk_csr_f32_entries(const void *blob, int32_t rows) {
  return (const spk_csr_f32_entry *)((const uint32_t *)blob + (size_t)rows + 1);
}

#endif  // SPK_FORMATS_CSR_F32_H_
