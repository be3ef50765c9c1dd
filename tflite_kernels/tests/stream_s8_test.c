// stream_s8: what goes in comes out, and no blob makes check() or unpack() read outside.
#include <string.h>

#include "spk/formats.h"
#include "test.h"

static void fill(int8_t *dense, size_t count, int percent_zero) {
  for (size_t i = 0; i < count; ++i) {
    dense[i] = spk_random_int(0, 99) < percent_zero ? 0 : (int8_t)spk_random_int(-128, 127);
  }
}

static void round_trip(int32_t rows, int32_t cols, int percent_zero) {
  const size_t count = (size_t)rows * (size_t)cols;
  int8_t *dense = spk_test_buffer(count), *again = spk_test_buffer(count);
  fill(dense, count, percent_zero);
  const size_t bytes = spk_stream_s8_pack_size(dense, rows, cols);
  uint8_t *blob = spk_test_buffer(bytes);
  EXPECT(spk_stream_s8_pack(dense, rows, cols, blob, bytes) == SPK_OK, "%d x %d", rows, cols);
  EXPECT(spk_stream_s8_check(blob, bytes, rows, cols) == SPK_OK, "%d x %d", rows, cols);
  EXPECT(spk_stream_s8_unpack(blob, bytes, rows, cols, again) == SPK_OK, "%d x %d", rows, cols);
  EXPECT(memcmp(dense, again, count) == 0, "%d x %d, %d %%", rows, cols, percent_zero);
  EXPECT(spk_stream_s8_pack(dense, rows, cols, blob, bytes - 1) == SPK_ERR_SPACE, "space");
  EXPECT(spk_stream_s8_check(blob, bytes - 1, rows, cols) == SPK_ERR_FORMAT, "truncated");
  EXPECT(spk_stream_s8_check(blob, bytes, rows + 1, cols) == SPK_ERR_FORMAT, "a row short");
  free(blob);
  free(again);
  free(dense);
}

// Streams of odd rows: the same matrix, whole words, and refused only where no filler fits.
static void odd_rows(int32_t rows, int32_t cols, int percent_zero) {
  const size_t count = (size_t)rows * (size_t)cols;
  int8_t *dense = spk_test_buffer(count), *again = spk_test_buffer(count);
  fill(dense, count, percent_zero);
  const size_t bytes = spk_stream_s8_pack_odd_size(dense, rows, cols);
  int possible = 1;
  for (int32_t r = 0; r < rows; ++r) {
    if (cols % 2 == 0 && memchr(dense + r * cols, 0, (size_t)cols) == NULL) possible = 0;
  }
  EXPECT((bytes != 0) == possible, "%d x %d, %d %%", rows, cols, percent_zero);
  uint8_t *blob = spk_test_buffer(bytes), *at = blob;
  const spk_status packed = spk_stream_s8_pack_odd(dense, rows, cols, blob, bytes);
  EXPECT(packed == (possible ? SPK_OK : SPK_ERR_UNSUPPORTED), "%d x %d", rows, cols);
  for (int32_t r = 0; possible && r < rows; ++r, at += 2 + 2 * (at[0] | at[1] << 8)) {
    EXPECT(at[0] % 2 == 1, "row %d of %d x %d", r, rows, cols);
  }
  if (possible) {
    EXPECT(spk_stream_s8_unpack(blob, bytes, rows, cols, again) == SPK_OK, "unpack");
    EXPECT(memcmp(dense, again, count) == 0, "%d x %d", rows, cols);
  }
  free(blob);
  free(again);
  free(dense);
}

// A stop in a gap of 256 adds no pair: the filler goes elsewhere, or nowhere.
static void gaps_of_256(void) {
  int8_t dense[258] = {0};
  dense[256] = 1;
  EXPECT(spk_stream_s8_pack_odd_size(dense, 1, 257) == 2 + 2 * 3, "a filler in column 0");
  dense[256] = 0;
  dense[0] = dense[1] = dense[257] = 1;
  EXPECT(spk_stream_s8_pack_size(dense, 1, 258) == 2 + 2 * 4, "four pairs");
  EXPECT(spk_stream_s8_pack_odd_size(dense, 1, 258) == 0, "no place for a fifth");
}

// {rows 2, cols 600}: weights at 0, 1 and 599, then an empty row.
static void known_bytes(void) {
  int8_t dense[1200] = {0};
  dense[0] = 5;
  dense[1] = -6;
  dense[599] = 7;
  static const uint8_t expected[] = {5, 0, 0, 5, 1, 0xfa, 255, 0, 255, 0, 88, 7, 0, 0};
  uint8_t blob[sizeof expected];
  EXPECT(spk_stream_s8_pack_size(dense, 2, 600) == sizeof expected, "size");
  EXPECT(spk_stream_s8_pack(dense, 2, 600, blob, sizeof blob) == SPK_OK, "pack");
  EXPECT(memcmp(blob, expected, sizeof expected) == 0, "bytes");
}

static void expect_refused(const uint8_t *blob, size_t bytes, int32_t rows, int32_t cols,
                           const char *what) {
  uint8_t *exact = spk_test_buffer(bytes);
  memcpy(exact, blob, bytes);
  int8_t *dense = spk_test_buffer((size_t)rows * (size_t)cols);
  EXPECT(spk_stream_s8_check(exact, bytes, rows, cols) == SPK_ERR_FORMAT, "%s", what);
  EXPECT(spk_stream_s8_unpack(exact, bytes, rows, cols, dense) == SPK_ERR_FORMAT, "%s", what);
  free(dense);
  free(exact);
}

static void hostile(void) {
  expect_refused((const uint8_t[]){0}, 1, 1, 4, "half a header");
  expect_refused((const uint8_t[]){2, 0, 0, 1}, 4, 1, 4, "fewer pairs than counted");
  expect_refused((const uint8_t[]){255, 255, 0, 1}, 4, 1, 4, "a huge count");
  expect_refused((const uint8_t[]){1, 0, 4, 1}, 4, 1, 4, "a column beyond the last");
  expect_refused((const uint8_t[]){2, 0, 3, 1, 1, 1}, 6, 1, 4, "a walk beyond the last");
  expect_refused((const uint8_t[]){2, 0, 1, 1, 0, 1}, 6, 1, 4, "one column twice");
  expect_refused((const uint8_t[]){0, 0, 9}, 3, 1, 4, "bytes left over");
  const uint8_t blob[2] = {0, 0};
  EXPECT(spk_stream_s8_check(NULL, 2, 1, 4) == SPK_ERR_ARGUMENT, "null");
  EXPECT(spk_stream_s8_check(blob, 2, 0, 4) == SPK_ERR_ARGUMENT, "no rows");
  EXPECT(spk_stream_s8_check(blob, 2, 1, -1) == SPK_ERR_ARGUMENT, "negative columns");
  EXPECT(spk_stream_s8_unpack(blob, 2, 1, 4, NULL) == SPK_ERR_ARGUMENT, "no room");
  EXPECT(spk_stream_s8_pack_size(NULL, 1, 4) == 0, "nothing to pack");
}

// Random bytes, and good blobs with one byte changed: never a read outside (the address
// sanitizer watches), and unpack agrees with check.
static void fuzz(void) {
  for (int i = 0; i < 3000; ++i) {
    const int32_t rows = spk_random_int(1, 4), cols = spk_random_int(1, 40);
    const size_t bytes = (size_t)spk_random_int(1, 60);
    uint8_t *blob = spk_test_buffer(bytes);
    for (size_t b = 0; b < bytes; ++b) {
      blob[b] = (uint8_t)(spk_random_int(0, 3) ? spk_random_int(0, 6) : spk_random_int(0, 255));
    }
    int8_t *dense = spk_test_buffer((size_t)rows * (size_t)cols);
    const spk_status checked = spk_stream_s8_check(blob, bytes, rows, cols);
    EXPECT(spk_stream_s8_unpack(blob, bytes, rows, cols, dense) == checked, "case %d", i);
    free(dense);
    free(blob);
  }
}

// The count of an odd row has 14 bits.
static void test_long_odd_rows(void) {
  enum { kCols = 16385 };
  static int8_t dense[kCols];
  memset(dense, 1, kCols);
  dense[0] = 0;
  EXPECT(spk_stream_s8_pack_odd_size(dense, 1, kCols) == 0, "16385 pairs");
  EXPECT(spk_stream_s8_pack_size(dense, 1, kCols) == 2 + 2 * (kCols - 1), "16384 pairs");
  dense[kCols - 1] = 0;
  EXPECT(spk_stream_s8_pack_odd_size(dense, 1, kCols) == 2 + 2 * 16383, "16383 pairs");
}

int main(void) {
  known_bytes();
  gaps_of_256();
  hostile();
  fuzz();
  for (int i = 0; i < 60; ++i) {
    odd_rows(spk_random_int(1, 9), spk_random_int(1, 600), spk_random_int(0, 100));
    round_trip(spk_random_int(1, 9), spk_random_int(1, 1200), spk_random_int(0, 100));
  }
  test_long_odd_rows();
  return spk_test_result();
}
