// twins_s8: pairs of weights whose inputs lie side by side, and a stream of the others (see
// spk/formats.h and spk/twins_s8.h).
#include "spk/twins_s8.h"

#include "spk/formats.h"

enum { kHeader = 4, kFour = 16, kMostFours = 255 };

typedef struct row_plan {
  int32_t fours;
  uint16_t place[4 * kMostFours];
  int8_t weight[4 * kMostFours][2];
  int8_t rest[SPK_TWINS_MOST_COLUMNS];  // what the stream gets
} row_plan;

static size_t start_of_fours(int32_t rows) { return kHeader + ((size_t)rows + 3) / 4 * 4; }

// The neighbour of `col` with the smallest column among those in `rest`, and their place; -1 if
// there is none.
static int32_t neighbour(const int8_t *rest, int32_t cols, int32_t col, int32_t *place) {
  const int32_t width = SPK_TWINS_WIDTH(cols);
  int32_t found = -1;
  for (int32_t i = 0; i < 4; ++i) {
    const int32_t here = spk_twins_place(col, width, i / 2), first = here - i % 2;
    if (first < 0 || first > 2 * width - 2) continue;
    const int32_t other = spk_twins_column(i % 2 ? first : first + 1, width);
    if (other == col || other >= cols || rest[other] == 0) continue;
    if (found < 0 || other < found) found = other, *place = first;
  }
  return found;
}

static void take(row_plan *p, int32_t twin, int32_t place, int32_t width) {
  p->place[twin] = (uint16_t)place;
  for (int32_t i = 0; i < 2; ++i) {
    int8_t *const weight = p->rest + spk_twins_column(place + i, width);
    p->weight[twin][i] = *weight;
    *weight = 0;
  }
}

static void give_back(row_plan *p, int32_t twin, int32_t width) {
  for (int32_t i = 0; i < 2; ++i) {
    p->rest[spk_twins_column(p->place[twin] + i, width)] = p->weight[twin][i];
  }
}

// From left to right, every weight with its leftmost neighbour: within 1 % of the most there
// are. One or two twins beyond whole fours cost less in the stream, if that can hold them.
static void plan_row(const int8_t *row, int32_t cols, row_plan *p) {
  const int32_t width = SPK_TWINS_WIDTH(cols);
  int32_t twins = 0, place = 0;
  memset(p->rest, 0, (size_t)width);
  memcpy(p->rest, row, (size_t)cols);
  for (int32_t c = 0; c < cols && twins < 4 * kMostFours; ++c) {
    if (p->rest[c] != 0 && neighbour(p->rest, cols, c, &place) >= 0) {
      take(p, twins++, place, width);
    }
  }
  while (twins % 4 == 1 || twins % 4 == 2) give_back(p, --twins, width);
  if (spk_stream_s8_pack_odd_size(p->rest, 1, cols) == 0) {  // no zero: columns 1 and 0 meet
    take(p, twins++, width, width);
  }
  for (; twins % 4 != 0; ++twins) {
    p->place[twins] = 0;
    p->weight[twins][0] = p->weight[twins][1] = 0;
  }
  p->fours = twins / 4;
}

static int is_shape(int32_t rows, int32_t cols) {
  return rows > 0 && cols > 0 && cols <= SPK_TWINS_MOST_COLUMNS;
}

size_t spk_twins_s8_pack_size(const int8_t *dense, int32_t rows, int32_t cols) {
  if (dense == NULL || !is_shape(rows, cols)) return 0;
  size_t bytes = start_of_fours(rows);
  for (int32_t r = 0; r < rows; ++r, dense += cols) {
    row_plan p;
    plan_row(dense, cols, &p);
    const size_t stream = spk_stream_s8_pack_odd_size(p.rest, 1, cols);
    if (stream == 0) return 0;
    bytes += (size_t)p.fours * kFour + stream;
  }
  return bytes <= UINT32_MAX ? bytes : 0;
}

// Four places, and the weights of twins 0 and 1 in even and odd bytes, then those of 2 and 3.
static void pack_four(const row_plan *p, int32_t first, uint8_t *out) {
  for (int32_t i = 0; i < 4; ++i) {
    const int32_t place = p->place[first + i], at = 8 + 4 * (i / 2) + i % 2;
    out[2 * i] = (uint8_t)(place & 0xff);
    out[2 * i + 1] = (uint8_t)(place >> 8);
    out[at] = (uint8_t)p->weight[first + i][0];
    out[at + 2] = (uint8_t)p->weight[first + i][1];
  }
}

static void pack_word(size_t value, uint8_t out[4]) {
  for (int32_t i = 0; i < 4; ++i) out[i] = (uint8_t)(value >> 8 * i & 0xff);
}

static size_t word_at(const uint8_t *blob) {
  return (size_t)blob[0] | (size_t)blob[1] << 8 | (size_t)blob[2] << 16 | (size_t)blob[3] << 24;
}

spk_status spk_twins_s8_pack(const int8_t *dense, int32_t rows, int32_t cols, uint8_t *blob,
                             size_t bytes) {
  if (dense == NULL || blob == NULL || rows <= 0 || cols <= 0) return SPK_ERR_ARGUMENT;
  const size_t needed = spk_twins_s8_pack_size(dense, rows, cols);
  if (needed == 0) return SPK_ERR_UNSUPPORTED;
  if (bytes < needed) return SPK_ERR_SPACE;
  memset(blob, 0, start_of_fours(rows));
  row_plan p;
  uint8_t *four = blob + start_of_fours(rows);
  for (int32_t r = 0; r < rows; ++r) {
    plan_row(dense + r * (ptrdiff_t)cols, cols, &p);
    blob[kHeader + r] = (uint8_t)p.fours;
    for (int32_t i = 0; i < p.fours; ++i, four += kFour) pack_four(&p, 4 * i, four);
  }
  pack_word((size_t)(four - blob), blob);
  for (int32_t r = 0; r < rows; ++r) {
    plan_row(dense + r * (ptrdiff_t)cols, cols, &p);
    const size_t size = spk_stream_s8_pack_odd_size(p.rest, 1, cols);
    const spk_status status = spk_stream_s8_pack_odd(p.rest, 1, cols, four, size);
    if (status != SPK_OK) return status;
    four += size;
  }
  return SPK_OK;
}

static int four_is_valid(const uint8_t *four, int32_t cols) {
  const int32_t width = SPK_TWINS_WIDTH(cols);
  for (int32_t i = 0; i < 4; ++i) {
    const int32_t place = four[2 * i] | four[2 * i + 1] << 8;
    if (place > 2 * width - 2) return 0;
    for (int32_t j = 0; j < 2; ++j) {
      const int is_filled_up = spk_twins_column(place + j, width) >= cols;
      if (is_filled_up && four[8 + 4 * (i / 2) + i % 2 + 2 * j] != 0) return 0;
    }
  }
  return 1;
}

spk_status spk_twins_s8_check(const uint8_t *blob, size_t bytes, int32_t rows, int32_t cols) {
  if (blob == NULL || !is_shape(rows, cols)) return SPK_ERR_ARGUMENT;
  size_t at = start_of_fours(rows);
  if (bytes < at) return SPK_ERR_FORMAT;
  const size_t stream = word_at(blob);
  if (stream > bytes || stream < at) return SPK_ERR_FORMAT;
  for (int32_t r = 0; r < rows; ++r) {
    const size_t fours = blob[kHeader + r];
    if ((stream - at) / kFour < fours) return SPK_ERR_FORMAT;
    for (size_t i = 0; i < fours; ++i, at += kFour) {
      if (!four_is_valid(blob + at, cols)) return SPK_ERR_FORMAT;
    }
  }
  if (at != stream) return SPK_ERR_FORMAT;
  return spk_stream_s8_check(blob + stream, bytes - stream, rows, cols);
}

spk_status spk_twins_s8_unpack(const uint8_t *blob, size_t bytes, int32_t rows, int32_t cols,
                               int8_t *dense) {
  if (dense == NULL) return SPK_ERR_ARGUMENT;
  const spk_status status = spk_twins_s8_check(blob, bytes, rows, cols);
  if (status != SPK_OK) return status;
  const size_t stream = word_at(blob);
  spk_stream_s8_unpack(blob + stream, bytes - stream, rows, cols, dense);
  const uint8_t *four = blob + start_of_fours(rows);
  for (int32_t r = 0; r < rows; ++r, dense += cols) {
    for (int32_t i = 0; i < 4 * blob[kHeader + r]; ++i) {
      const int32_t place = four[2 * (i % 4)] | four[2 * (i % 4) + 1] << 8;
      for (int32_t j = 0; j < 2; ++j) {
        const uint8_t weight = four[8 + 4 * (i % 4 / 2) + i % 2 + 2 * j];
        if (weight != 0) {
          dense[spk_twins_column(place + j, SPK_TWINS_WIDTH(cols))] = (int8_t)weight;
        }
      }
      if (i % 4 == 3) four += kFour;
    }
  }
  return SPK_OK;
}
