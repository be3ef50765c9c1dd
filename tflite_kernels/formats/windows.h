// The layout of windows (spk/formats.h) for the kernels that read it.
#ifndef SPK_FORMATS_WINDOWS_H_
#define SPK_FORMATS_WINDOWS_H_

#include "spk/formats.h"

// Where the parts of a blob lie, in bytes from its start.
typedef struct spk_windows_layout {
  size_t first_step, sum, weights, index, start, total;
} spk_windows_layout;

static inline spk_windows_layout spk_windows_layout_of(const spk_windows_header *header) {
  const size_t lanes = (size_t)header->shape.lanes, groups = (size_t)header->groups;
  const size_t slots = lanes * (size_t)header->shape.slots, steps = (size_t)header->steps;
  spk_windows_layout at;
  at.first_step = sizeof(spk_windows_header);
  at.sum = at.first_step + (groups + 1) * sizeof(uint32_t);
  at.weights = (at.sum + groups * lanes * sizeof(int32_t) + 63) & ~(size_t)63;
  at.index = at.weights + steps * slots * (size_t)header->shape.element;
  at.start = at.index + steps * slots;
  at.total = at.start + steps * sizeof(uint16_t);
  return at;
}

// The kernels' view of a blob.
typedef struct spk_windows_view {
  const uint32_t *first_step;
  const int32_t *sum;
  const uint8_t *weights, *index;
  const uint16_t *start;
} spk_windows_view;

static inline spk_windows_view spk_windows_view_of(const void *blob) {
  const uint8_t *base = blob;
  const spk_windows_layout at = spk_windows_layout_of(blob);
  return (spk_windows_view){
      .first_step = (const uint32_t *)(const void *)(base + at.first_step),
      .sum = (const int32_t *)(const void *)(base + at.sum),
      .weights = base + at.weights,
      .index = base + at.index,
      .start = (const uint16_t *)(const void *)(base + at.start),
  };
}

#endif  // SPK_FORMATS_WINDOWS_H_
