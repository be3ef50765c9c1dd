// windows: groups of rows that look their inputs up in a register (see spk/formats.h).
#include "formats/windows.h"

#include <string.h>

enum { kMaxLanes = 16, kMaxWidth = 128, kMaxColumns = 65536 };

// The rows of one group, each with the column of its next nonzero.
typedef struct group_cursor {
  const uint8_t *row[kMaxLanes];
  int32_t next[kMaxLanes];
  int32_t cols;
  const spk_windows_shape *shape;
  int32_t start;  // of the window before, -1 at first
} group_cursor;

// Only a float32 has a second zero, -0.
static int is_zero(const uint8_t *weight, const spk_windows_shape *shape) {
  uint32_t bits;
  if (shape->element == 1) return *weight == 0;
  memcpy(&bits, weight, sizeof(bits));
  return (shape->quads ? bits : bits << 1) == 0;
}

static void advance(group_cursor *cursor, int32_t lane) {
  const size_t element = (size_t)cursor->shape->element;
  int32_t column = cursor->next[lane] + 1;
  while (column < cursor->cols &&
         is_zero(cursor->row[lane] + (size_t)column * element, cursor->shape))
    ++column;
  cursor->next[lane] = column;
}

// Rows beyond the last one count as empty.
static void open_group(group_cursor *cursor, const void *dense, int32_t rows, int32_t cols,
                       const spk_windows_shape *shape, int32_t group) {
  cursor->cols = cols;
  cursor->shape = shape;
  cursor->start = -1;
  for (int32_t lane = 0; lane < shape->lanes; ++lane) {
    const int32_t row = group * shape->lanes + lane;
    cursor->next[lane] = row < rows ? -1 : cols;
    if (row >= rows) continue;
    cursor->row[lane] = (const uint8_t *)dense + (size_t)row * cols * shape->element;
    advance(cursor, lane);
  }
}

// Where the next window starts, or -1 when no row has anything left.
static int32_t next_start(group_cursor *cursor, const spk_windows_shape *shape) {
  int32_t first = cursor->cols;
  for (int32_t lane = 0; lane < shape->lanes; ++lane)
    if (cursor->next[lane] < first) first = cursor->next[lane];
  if (first == cursor->cols) return -1;
  if (shape->align > 1) {
    if (cursor->start < 0 || first >= cursor->start + shape->align)
      cursor->start = first / shape->align * shape->align;
    return cursor->start;
  }
  const int32_t last = cursor->cols > shape->width ? cursor->cols - shape->width : 0;
  return first < last ? first : last;
}

// Takes one step; writes its weights and indices unless `weights` is NULL.
static void take_step(group_cursor *cursor, const spk_windows_shape *shape, int32_t start,
                      uint8_t *weights, uint8_t *index) {
  for (int32_t lane = 0; lane < shape->lanes; ++lane) {
    for (int32_t slot = 0; slot < shape->slots; ++slot) {
      const int32_t column = cursor->next[lane];
      if (column >= cursor->cols || column >= start + shape->width) break;
      if (weights) {
        const size_t at = (size_t)lane * shape->slots + slot, element = (size_t)shape->element;
        memcpy(weights + at * element, cursor->row[lane] + column * element, element);
        index[at] = (uint8_t)(column - start);
      }
      advance(cursor, lane);
    }
  }
}

static int arguments_are_valid(const void *data, int32_t rows, int32_t cols,
                               const spk_windows_shape *shape) {
  return data && shape && rows > 0 && cols > 0 && cols <= kMaxColumns &&
         cols <= INT32_MAX / 8 / rows && shape->lanes > 0 && shape->lanes <= kMaxLanes &&
         shape->width > 0 && shape->width <= kMaxWidth && shape->slots > 0 &&
         shape->slots <= 4 && (shape->element == 1 || shape->element == 4) &&
         shape->align >= 0 && shape->align <= shape->width &&
         (shape->quads == 0 || (shape->quads == 1 && shape->element == 4));
}

static spk_windows_header header_of(int32_t rows, int32_t cols,
                                    const spk_windows_shape *shape) {
  return (spk_windows_header){.shape = *shape,
                              .rows = rows,
                              .cols = cols,
                              .groups = (rows - 1) / shape->lanes + 1,
                              .steps = 0};
}

static int32_t count_steps(const void *dense, const spk_windows_header *header) {
  int32_t steps = 0;
  for (int32_t group = 0; group < header->groups; ++group) {
    group_cursor cursor;
    open_group(&cursor, dense, header->rows, header->cols, &header->shape, group);
    for (int32_t start; (start = next_start(&cursor, &header->shape)) >= 0; ++steps)
      take_step(&cursor, &header->shape, start, NULL, NULL);
  }
  return steps;
}

size_t spk_windows_pack_size(const void *dense, int32_t rows, int32_t cols,
                             const spk_windows_shape *shape) {
  if (!arguments_are_valid(dense, rows, cols, shape)) return 0;
  spk_windows_header header = header_of(rows, cols, shape);
  header.steps = count_steps(dense, &header);
  return spk_windows_layout_of(&header).total;
}

static int has_sums(const spk_windows_shape *shape) {
  return shape->element == 1 || shape->quads;
}

static int32_t sum_of(const int8_t *weights, size_t count) {
  int64_t sum = 0;
  for (size_t i = 0; i < count; ++i) sum += weights[i];
  return (int32_t)(uint32_t)sum;  // modulo 2^32, like the accumulators
}

spk_status spk_windows_pack(const void *dense, int32_t rows, int32_t cols,
                            const spk_windows_shape *shape, void *blob, size_t bytes) {
  if (!blob || !arguments_are_valid(dense, rows, cols, shape)) return SPK_ERR_ARGUMENT;
  spk_windows_header header = header_of(rows, cols, shape);
  header.steps = count_steps(dense, &header);
  const spk_windows_layout at = spk_windows_layout_of(&header);
  if (bytes < at.total) return SPK_ERR_SPACE;
  memset(blob, 0, at.total);
  memcpy(blob, &header, sizeof(header));
  uint8_t *base = blob;
  uint32_t *first_step = (uint32_t *)(void *)(base + at.first_step);
  uint16_t *starts = (uint16_t *)(void *)(base + at.start);
  int32_t *sum = (int32_t *)(void *)(base + at.sum);
  const size_t slots = (size_t)shape->lanes * shape->slots;
  uint32_t step = 0;
  for (int32_t group = 0; group < header.groups; ++group) {
    group_cursor cursor;
    open_group(&cursor, dense, rows, cols, shape, group);
    first_step[group] = step;
    for (int32_t start; (start = next_start(&cursor, shape)) >= 0; ++step) {
      starts[step] = (uint16_t)start;
      take_step(&cursor, shape, start, base + at.weights + step * slots * shape->element,
                base + at.index + step * slots);
    }
  }
  first_step[header.groups] = step;
  const size_t row_bytes = (size_t)cols * shape->element;
  for (int32_t r = 0; r < rows && has_sums(shape); ++r)
    sum[r] = sum_of((const int8_t *)dense + r * row_bytes, row_bytes);
  return SPK_OK;
}

// The header is compared with what it must be, so that no later size comes from the blob
// except the number of steps, which the length of the blob confirms.
static int read_header(const void *blob, size_t bytes, int32_t rows, int32_t cols,
                       const spk_windows_shape *shape, spk_windows_header *header) {
  if (bytes < sizeof(*header)) return 0;
  memcpy(header, blob, sizeof(*header));
  spk_windows_header expected = header_of(rows, cols, shape);
  expected.steps = header->steps;
  if (memcmp(header, &expected, sizeof(expected)) != 0) return 0;
  if (header->steps < 0 || (int64_t)header->steps > (int64_t)rows * cols) return 0;
  return spk_windows_layout_of(header).total == bytes;
}

static int step_is_valid(const uint8_t *index, int32_t start,
                         const spk_windows_header *header) {
  const spk_windows_shape *shape = &header->shape;
  const int32_t cols = header->cols > shape->width ? header->cols : shape->width;
  if (shape->align > 1 ? start % shape->align != 0 || start >= header->cols
                       : start + shape->width > cols)
    return 0;
  for (int32_t i = 0; i < shape->lanes * shape->slots; ++i)
    if (index[i] >= shape->width) return 0;
  return 1;
}

// A weight that is not zero must name a row and a column that exist.
static int slot_is_valid(const spk_windows_header *header, const uint8_t *weight, int32_t row,
                         int32_t column) {
  return is_zero(weight, &header->shape) || (row < header->rows && column < header->cols);
}

static int group_is_valid(const spk_windows_header *header, const void *blob, int32_t group) {
  const spk_windows_view view = spk_windows_view_of(blob);
  const spk_windows_shape *shape = &header->shape;
  const int32_t slots = shape->lanes * shape->slots;
  for (size_t step = view.first_step[group]; step < view.first_step[group + 1]; ++step) {
    const uint8_t *index = view.index + step * slots;
    if (!step_is_valid(index, view.start[step], header)) return 0;
    for (int32_t i = 0; i < slots; ++i) {
      const uint8_t *weight = view.weights + (step * slots + i) * shape->element;
      const int32_t row = group * shape->lanes + i / shape->slots;
      if (!slot_is_valid(header, weight, row, view.start[step] + index[i])) return 0;
    }
  }
  return 1;
}

// Adds the sums of the int8 rows of a group up again.
static int sums_are_valid(const spk_windows_header *header, const void *blob, int32_t group) {
  const spk_windows_view view = spk_windows_view_of(blob);
  const spk_windows_shape *shape = &header->shape;
  const size_t bytes = (size_t)shape->slots * shape->element;  // of a row in one step
  for (int32_t lane = 0; lane < shape->lanes && has_sums(shape); ++lane) {
    uint32_t total = 0;
    for (size_t step = view.first_step[group]; step < view.first_step[group + 1]; ++step) {
      const uint8_t *weights = view.weights + (step * shape->lanes + lane) * bytes;
      total += (uint32_t)sum_of((const int8_t *)weights, bytes);
    }
    if ((int32_t)total != view.sum[group * shape->lanes + lane]) return 0;
  }
  return 1;
}

spk_status spk_windows_check(const void *blob, size_t bytes, int32_t rows, int32_t cols,
                             const spk_windows_shape *shape) {
  if (!arguments_are_valid(blob, rows, cols, shape)) return SPK_ERR_ARGUMENT;
  spk_windows_header header;
  if (!read_header(blob, bytes, rows, cols, shape, &header)) return SPK_ERR_FORMAT;
  const spk_windows_view view = spk_windows_view_of(blob);
  if (view.first_step[0] != 0 || view.first_step[header.groups] != (uint32_t)header.steps)
    return SPK_ERR_FORMAT;
  for (int32_t group = 0; group < header.groups; ++group) {
    const uint32_t first = view.first_step[group], last = view.first_step[group + 1];
    if (last < first || last > (uint32_t)header.steps) return SPK_ERR_FORMAT;
    if (!group_is_valid(&header, blob, group) || !sums_are_valid(&header, blob, group))
      return SPK_ERR_FORMAT;
  }
  return SPK_OK;
}

spk_status spk_windows_unpack(const void *blob, size_t bytes, int32_t rows, int32_t cols,
                              const spk_windows_shape *shape, void *dense) {
  const spk_status status = spk_windows_check(blob, bytes, rows, cols, shape);
  if (status != SPK_OK) return status;
  if (!dense) return SPK_ERR_ARGUMENT;
  const size_t element = (size_t)shape->element;
  const int32_t slots = shape->lanes * shape->slots, groups = (rows - 1) / shape->lanes + 1;
  const spk_windows_view view = spk_windows_view_of(blob);
  memset(dense, 0, (size_t)rows * cols * element);
  for (int32_t group = 0; group < groups; ++group) {
    for (size_t step = view.first_step[group]; step < view.first_step[group + 1]; ++step) {
      for (int32_t i = 0; i < slots; ++i) {
        const uint8_t *weight = view.weights + (step * slots + i) * element;
        if (is_zero(weight, shape)) continue;
        const size_t row = (size_t)group * shape->lanes + (size_t)(i / shape->slots);
        const size_t column = (size_t)view.start[step] + view.index[step * slots + i];
        memcpy((uint8_t *)dense + (row * cols + column) * element, weight, element);
      }
    }
  }
  return SPK_OK;
}
