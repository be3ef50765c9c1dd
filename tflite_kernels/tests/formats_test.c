// The formats that the kernels read: what pack() writes, unpack() reads back, and check()
// refuses whatever is not a matrix, without reading outside the blob.
#include "spk/formats.h"

#include <string.h>

#include "tests/test.h"

// One format behind common signatures.
typedef struct format {
  const char *name;
  size_t element;  // bytes of a weight
  size_t (*pack_size)(const void *dense, int32_t rows, int32_t cols);
  spk_status (*pack)(const void *dense, int32_t rows, int32_t cols, void *blob, size_t bytes);
  spk_status (*check)(const void *blob, size_t bytes, int32_t rows, int32_t cols);
  spk_status (*unpack)(const void *blob, size_t bytes, int32_t rows, int32_t cols, void *dense);
} format;

static size_t csr_pack_size(const void *dense, int32_t rows, int32_t cols) {
  return spk_csr_f32_pack_size(dense, rows, cols);
}

static spk_status csr_pack(const void *dense, int32_t rows, int32_t cols, void *blob,
                           size_t bytes) {
  return spk_csr_f32_pack(dense, rows, cols, blob, bytes);
}

static spk_status csr_unpack(const void *blob, size_t bytes, int32_t rows, int32_t cols,
                             void *dense) {
  return spk_csr_f32_unpack(blob, bytes, rows, cols, dense);
}

#define BLOCKS(n)                                                                      \
  static size_t blocks##n##_pack_size(const void *dense, int32_t rows, int32_t cols) { \
    return spk_blocks_f32_pack_size(dense, rows, cols, n);                             \
  }                                                                                    \
  static spk_status blocks##n##_pack(const void *dense, int32_t rows, int32_t cols,    \
                                     void *blob, size_t bytes) {                       \
    return spk_blocks_f32_pack(dense, rows, cols, n, blob, bytes);                     \
  }                                                                                    \
  static spk_status blocks##n##_check(const void *blob, size_t bytes, int32_t rows,    \
                                      int32_t cols) {                                  \
    return spk_blocks_f32_check(blob, bytes, rows, cols, n);                           \
  }                                                                                    \
  static spk_status blocks##n##_unpack(const void *blob, size_t bytes, int32_t rows,   \
                                       int32_t cols, void *dense) {                    \
    return spk_blocks_f32_unpack(blob, bytes, rows, cols, n, dense);                   \
  }
BLOCKS(1)
BLOCKS(4)
BLOCKS(16)

// Runs of a third of the columns, or all of them.
static int32_t run_of(int32_t cols) { return cols % 3 == 0 ? cols / 3 : cols; }

#define BLOCKS4(n)                                                                       \
  static size_t blocks4x##n##_pack_size(const void *dense, int32_t rows, int32_t cols) { \
    return spk_blocks4_s8_pack_size(dense, rows, cols, run_of(cols), n);                 \
  }                                                                                      \
  static spk_status blocks4x##n##_pack(const void *dense, int32_t rows, int32_t cols,    \
                                       void *blob, size_t bytes) {                       \
    return spk_blocks4_s8_pack(dense, rows, cols, run_of(cols), n, blob, bytes);         \
  }                                                                                      \
  static spk_status blocks4x##n##_check(const void *blob, size_t bytes, int32_t rows,    \
                                        int32_t cols) {                                  \
    return spk_blocks4_s8_check(blob, bytes, rows, cols, run_of(cols), n);               \
  }                                                                                      \
  static spk_status blocks4x##n##_unpack(const void *blob, size_t bytes, int32_t rows,   \
                                         int32_t cols, void *dense) {                    \
    return spk_blocks4_s8_unpack(blob, bytes, rows, cols, run_of(cols), n, dense);       \
  }
BLOCKS4(1)
BLOCKS4(2)
BLOCKS4(4)
#define ROW_BLOCKS(n)                                                                      \
  static size_t row_blocks##n##_pack_size(const void *dense, int32_t rows, int32_t cols) { \
    return spk_row_blocks_s8_pack_size(dense, rows, cols, n);                              \
  }                                                                                        \
  static spk_status row_blocks##n##_pack(const void *dense, int32_t rows, int32_t cols,    \
                                         void *blob, size_t bytes) {                       \
    return spk_row_blocks_s8_pack(dense, rows, cols, n, blob, bytes);                      \
  }                                                                                        \
  static spk_status row_blocks##n##_check(const void *blob, size_t bytes, int32_t rows,    \
                                          int32_t cols) {                                  \
    return spk_row_blocks_s8_check(blob, bytes, rows, cols, n);                            \
  }                                                                                        \
  static spk_status row_blocks##n##_unpack(const void *blob, size_t bytes, int32_t rows,   \
                                           int32_t cols, void *dense) {                    \
    return spk_row_blocks_s8_unpack(blob, bytes, rows, cols, n, dense);                    \
  }
ROW_BLOCKS(8)
ROW_BLOCKS(16)

#define TUPLES(n)                                                                      \
  static size_t tuples##n##_pack_size(const void *dense, int32_t rows, int32_t cols) { \
    return spk_tuples_s8_pack_size(dense, rows, cols, n);                              \
  }                                                                                    \
  static spk_status tuples##n##_pack(const void *dense, int32_t rows, int32_t cols,    \
                                     void *blob, size_t bytes) {                       \
    return spk_tuples_s8_pack(dense, rows, cols, n, blob, bytes);                      \
  }                                                                                    \
  static spk_status tuples##n##_check(const void *blob, size_t bytes, int32_t rows,    \
                                      int32_t cols) {                                  \
    return spk_tuples_s8_check(blob, bytes, rows, cols, n);                            \
  }                                                                                    \
  static spk_status tuples##n##_unpack(const void *blob, size_t bytes, int32_t rows,   \
                                       int32_t cols, void *dense) {                    \
    return spk_tuples_s8_unpack(blob, bytes, rows, cols, n, dense);                    \
  }
TUPLES(2)
TUPLES(4)

#define WINDOWS(name, lanes_, width_, slots_, element_, align_, quads_)                        \
  static const spk_windows_shape name##_shape = {.lanes = lanes_,                              \
                                                 .width = width_,                              \
                                                 .slots = slots_,                              \
                                                 .element = element_,                          \
                                                 .align = align_,                              \
                                                 .quads = quads_};                             \
  static size_t name##_pack_size(const void *dense, int32_t rows, int32_t cols) {              \
    return spk_windows_pack_size(dense, rows, cols, &name##_shape);                            \
  }                                                                                            \
  static spk_status name##_pack(const void *dense, int32_t rows, int32_t cols, void *blob,     \
                                size_t bytes) {                                                \
    return spk_windows_pack(dense, rows, cols, &name##_shape, blob, bytes);                    \
  }                                                                                            \
  static spk_status name##_check(const void *blob, size_t bytes, int32_t rows, int32_t cols) { \
    return spk_windows_check(blob, bytes, rows, cols, &name##_shape);                          \
  }                                                                                            \
  static spk_status name##_unpack(const void *blob, size_t bytes, int32_t rows, int32_t cols,  \
                                  void *dense) {                                               \
    return spk_windows_unpack(blob, bytes, rows, cols, &name##_shape, dense);                  \
  }
WINDOWS(windows_f32_8, 8, 8, 1, 4, 0, 0)
WINDOWS(windows_f32_16, 16, 32, 1, 4, 0, 0)
WINDOWS(windows_s8_8, 8, 32, 4, 1, 0, 0)
WINDOWS(windows_s8_16, 16, 128, 4, 1, 64, 0)
WINDOWS(windows_quads_8, 8, 8, 1, 4, 4, 1)
WINDOWS(windows_quads_16, 16, 32, 1, 4, 16, 1)

#define PLAIN_S8(format)                                                                     \
  static size_t format##_pack_size(const void *dense, int32_t rows, int32_t cols) {          \
    return spk_##format##_pack_size(dense, rows, cols);                                      \
  }                                                                                          \
  static spk_status format##_pack(const void *dense, int32_t rows, int32_t cols, void *blob, \
                                  size_t bytes) {                                            \
    return spk_##format##_pack(dense, rows, cols, blob, bytes);                              \
  }                                                                                          \
  static spk_status format##_check(const void *blob, size_t bytes, int32_t rows,             \
                                   int32_t cols) {                                           \
    return spk_##format##_check(blob, bytes, rows, cols);                                    \
  }                                                                                          \
  static spk_status format##_unpack(const void *blob, size_t bytes, int32_t rows,            \
                                    int32_t cols, void *dense) {                             \
    return spk_##format##_unpack(blob, bytes, rows, cols, dense);                            \
  }
PLAIN_S8(blocks_s8)
PLAIN_S8(twins_s8)

#define FORMAT(name, element, check) \
  {#name, element, name##_pack_size, name##_pack, check, name##_unpack}

static const format kFormats[] = {
    FORMAT(csr, 4, spk_csr_f32_check),
    FORMAT(blocks1, 4, blocks1_check),
    FORMAT(blocks4, 4, blocks4_check),
    FORMAT(blocks16, 4, blocks16_check),
    FORMAT(blocks4x1, 1, blocks4x1_check),
    FORMAT(blocks4x2, 1, blocks4x2_check),
    FORMAT(blocks4x4, 1, blocks4x4_check),
    FORMAT(tuples2, 1, tuples2_check),
    FORMAT(tuples4, 1, tuples4_check),
    FORMAT(windows_f32_8, 4, windows_f32_8_check),
    FORMAT(windows_f32_16, 4, windows_f32_16_check),
    FORMAT(windows_s8_8, 1, windows_s8_8_check),
    FORMAT(windows_s8_16, 1, windows_s8_16_check),
    FORMAT(windows_quads_8, 4, windows_quads_8_check),
    FORMAT(windows_quads_16, 4, windows_quads_16_check),
    FORMAT(row_blocks8, 1, row_blocks8_check),
    FORMAT(row_blocks16, 1, row_blocks16_check),
    FORMAT(blocks_s8, 1, blocks_s8_check),
    FORMAT(twins_s8, 1, twins_s8_check),
};

enum { kFormatCount = sizeof(kFormats) / sizeof(kFormats[0]) };

static void *random_matrix(const format *f, int32_t rows, int32_t cols, int32_t percent) {
  void *dense = spk_test_buffer((size_t)rows * cols * f->element);
  for (int32_t i = 0; i < rows * cols; ++i) {
    const int keep = spk_random_int(0, 99) < percent;
    if (f->element == 4)
      ((float *)dense)[i] = keep ? spk_random_float() : 0.0f;
    else
      ((int8_t *)dense)[i] = (int8_t)(keep ? spk_random_int(-128, 127) : 0);
  }
  return dense;
}

static void test_round_trip(const format *f) {
  static const int32_t percents[] = {0, 3, 20, 60, 100};
  for (int trial = 0; trial < 60; ++trial) {
    const int32_t rows = spk_random_int(1, 40), cols = spk_random_int(1, 300);
    const size_t dense_bytes = (size_t)rows * cols * f->element;
    void *dense = random_matrix(f, rows, cols, percents[trial % 5]);
    void *back = spk_test_buffer(dense_bytes);
    const size_t bytes = f->pack_size(dense, rows, cols);
    void *blob = spk_test_buffer(bytes);
    EXPECT(f->pack(dense, rows, cols, blob, bytes - 1) == SPK_ERR_SPACE, "%s", f->name);
    EXPECT(f->pack(dense, rows, cols, blob, bytes) == SPK_OK, "%s", f->name);
    EXPECT(f->check(blob, bytes, rows, cols) == SPK_OK, "%s %dx%d", f->name, rows, cols);
    EXPECT(f->unpack(blob, bytes, rows, cols, back) == SPK_OK, "%s", f->name);
    EXPECT(memcmp(dense, back, dense_bytes) == 0, "%s %dx%d", f->name, rows, cols);
    free(dense);
    free(back);
    free(blob);
  }
}

static void test_bad_arguments(const format *f) {
  const float dense[4] = {0};
  uint32_t blob[64] = {0};
  EXPECT(f->pack_size(NULL, 2, 2) == 0, "%s", f->name);
  EXPECT(f->pack_size(dense, 0, 2) == 0, "%s", f->name);
  EXPECT(f->pack_size(dense, 1 << 20, 1 << 20) == 0, "%s", f->name);
  EXPECT(f->pack(dense, -1, 2, blob, sizeof(blob)) == SPK_ERR_ARGUMENT, "%s", f->name);
  EXPECT(f->pack(dense, 2, 2, NULL, 100) == SPK_ERR_ARGUMENT, "%s", f->name);
  EXPECT(f->check(NULL, 4, 2, 2) == SPK_ERR_ARGUMENT, "%s", f->name);
  EXPECT(f->check(blob, sizeof(blob), 1 << 20, 1 << 20) == SPK_ERR_ARGUMENT, "%s", f->name);
  EXPECT(f->check(blob, 0, 2, 2) == SPK_ERR_FORMAT, "%s", f->name);
}

// Blobs cut short, and blobs with one word changed: either refused, or still a matrix that
// unpacks; AddressSanitizer watches exactly sized copies.
static void test_hostile_blobs(const format *f) {
  const int32_t rows = 19, cols = 150;
  void *dense = random_matrix(f, rows, cols, 15);
  const size_t bytes = f->pack_size(dense, rows, cols);
  uint8_t *blob = spk_test_buffer(bytes);
  f->pack(dense, rows, cols, blob, bytes);
  for (size_t length = 0; length < bytes; length += 1 + bytes / 300) {
    uint8_t *cut = spk_test_buffer(length);
    memcpy(cut, blob, length);
    EXPECT(f->check(cut, length, rows, cols) == SPK_ERR_FORMAT, "%s cut to %zu", f->name,
           length);
    free(cut);
  }
  void *back = spk_test_buffer((size_t)rows * cols * f->element);
  for (int trial = 0; trial < 4000; ++trial) {
    uint8_t *changed = spk_test_buffer(bytes);
    memcpy(changed, blob, bytes);
    const size_t word = (size_t)spk_random_int(0, (int32_t)(bytes / 4) - 1);
    const uint32_t value = trial % 3 ? spk_random() : trial % 2 ? UINT32_MAX : INT32_MAX;
    memcpy(changed + 4 * word, &value, trial % 5 ? 4 : 1);
    const spk_status status = f->check(changed, bytes, rows, cols);
    EXPECT(status == SPK_OK || status == SPK_ERR_FORMAT, "%s status %d", f->name, status);
    EXPECT(f->unpack(changed, bytes, rows, cols, back) == status, "%s", f->name);
    free(changed);
  }
  EXPECT(f->check(blob, bytes, rows, cols + 1) != SPK_OK || f->element == 4 ||
             strncmp(f->name, "tuples", 6) == 0 || strncmp(f->name, "blocks", 6) == 0 ||
             strncmp(f->name, "row_blocks", 10) == 0 || strncmp(f->name, "twins", 5) == 0,
         "%s of another shape", f->name);
  EXPECT(f->check(blob, bytes, rows + 64, cols) != SPK_OK, "%s of another shape", f->name);
  free(back);
  free(blob);
  free(dense);
}

// Rows that share their columns share the blocks; the last group is filled up with zeros.
static void test_block_layout(void) {
  const float dense[5 * 3] = {0, 1, 0, 0, 2, 0, 0, 0, 0, 0, 3, 4, 5, 0, 0};
  static const float expected[3][4] = {{1, 2, 0, 3}, {0, 0, 0, 4}, {5, 0, 0, 0}};
  const size_t bytes = spk_blocks_f32_pack_size(dense, 5, 3, 4);
  EXPECT(bytes == 64 + sizeof(expected), "%zu bytes", bytes);
  uint8_t *blob = spk_test_buffer(bytes);
  spk_blocks_f32_pack(dense, 5, 3, 4, blob, bytes);
  EXPECT(memcmp(blob + 64, expected, sizeof(expected)) == 0, "other weights");
  EXPECT(spk_blocks_f32_check(blob, bytes, 5, 3, 8) == SPK_ERR_FORMAT, "another height");
  EXPECT(spk_blocks_f32_check(blob, bytes, 5, 3, 0) == SPK_ERR_ARGUMENT, "height 0");
  EXPECT(spk_blocks_f32_pack_size(dense, 5, 3, 17) == 0, "height 17");
  free(blob);
}

// Sliding windows: three rows of one group whose nonzeros lie apart take three steps, not four.
static void test_window_steps(void) {
  float dense[8 * 40] = {0};
  dense[0 * 40 + 3] = dense[0 * 40 + 20] = 1.0f;
  dense[1 * 40 + 10] = dense[1 * 40 + 22] = 2.0f;
  dense[2 * 40 + 39] = 3.0f;
  spk_windows_header header;
  const size_t bytes = spk_windows_pack_size(dense, 8, 40, &windows_f32_8_shape);
  void *blob = spk_test_buffer(bytes);
  spk_windows_pack(dense, 8, 40, &windows_f32_8_shape, blob, bytes);
  memcpy(&header, blob, sizeof(header));
  EXPECT(header.steps == 3, "%d steps", header.steps);  // from 3, 20 and 32 on
  free(blob);
}

// Windows that start at multiples of 64 move on when nothing is left before the next one.
static void test_aligned_window_steps(void) {
  int8_t dense[16 * 200] = {0};
  for (int c = 0; c < 4; ++c) dense[10 * c] = dense[200 + 65 + c] = 1;
  dense[2 * 200 + 199] = 1;
  const size_t bytes = spk_windows_pack_size(dense, 16, 200, &windows_s8_16_shape);
  uint8_t *blob = spk_test_buffer(bytes);
  uint16_t start[2];
  spk_windows_pack(dense, 16, 200, &windows_s8_16_shape, blob, bytes);
  memcpy(start, blob + bytes - sizeof(start), sizeof(start));
  EXPECT(start[0] == 0 && start[1] == 192, "windows from %d and %d on", start[0], start[1]);
  EXPECT(((spk_windows_header *)(void *)blob)->steps == 2, "other steps");
  free(blob);
}

// A quad with one weight is kept, even -128 in the last place: as a float32 it would be zero.
static void test_quads(void) {
  int8_t dense[4] = {0, 0, 0, -128}, back[4] = {0};
  uint8_t blob[1024];
  const size_t bytes = spk_windows_pack_size(dense, 1, 1, &windows_quads_16_shape);
  EXPECT(bytes < sizeof(blob), "%zu bytes", bytes);
  spk_windows_pack(dense, 1, 1, &windows_quads_16_shape, blob, bytes);
  EXPECT(spk_windows_unpack(blob, bytes, 1, 1, &windows_quads_16_shape, back) == SPK_OK, "bad");
  EXPECT(back[3] == -128, "%d", back[3]);
}

// Two rows of 132 columns: blocks 0, 32 (beyond one distance) and 33, then no block at all.
static void test_blocks_bytes(void) {
  int8_t dense[2 * 136] = {0};
  dense[3] = 1;
  dense[128] = -2;
  dense[132] = 3;
  static const uint8_t expected[] = {
      4, 0,   0, 0,                // four blocks, one of them a bridge
      0, 248, 8, 8, 0,   0, 0, 1,  // distances and weights
      0, 0,   0, 0, 254, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0,
  };
  uint8_t blob[sizeof(expected)];
  EXPECT(spk_blocks_s8_pack_size(dense, 2, 136) == sizeof(expected), "size");
  EXPECT(spk_blocks_s8_pack(dense, 2, 136, blob, sizeof(blob)) == SPK_OK, "pack");
  EXPECT(memcmp(blob, expected, sizeof(expected)) == 0, "bytes");
}

int main(void) {
  for (int i = 0; i < kFormatCount; ++i) {
    test_round_trip(&kFormats[i]);
    test_bad_arguments(&kFormats[i]);
    test_hostile_blobs(&kFormats[i]);
  }
  test_block_layout();
  test_window_steps();
  test_aligned_window_steps();
  test_quads();
  test_blocks_bytes();
  return spk_test_result();
}
