// fours_s8: what goes in comes out, and no blob makes check() or unpack() read outside.
#include <string.h>

#include "spk/formats.h"
#include "test.h"

static void fill(int8_t *dense, size_t count, int percent_zero) {
  for (size_t i = 0; i < count; ++i) {
    dense[i] = spk_random_int(0, 99) < percent_zero ? 0 : (int8_t)spk_random_int(-128, 127);
  }
}

static void round_trip(int32_t rows, int32_t cols, int32_t spread, int percent_zero) {
  const size_t count = (size_t)rows * (size_t)cols;
  int8_t *dense = spk_test_buffer(count), *again = spk_test_buffer(count);
  fill(dense, count, percent_zero);
  const size_t bytes = spk_fours_s8_pack_size(dense, rows, cols, spread);
  uint8_t *blob = spk_test_buffer(bytes);
  EXPECT(bytes % 4 == 0, "%d x %d", rows, cols);
  EXPECT(spk_fours_s8_pack(dense, rows, cols, spread, blob, bytes) == SPK_OK, "pack");
  EXPECT(spk_fours_s8_check(blob, bytes, rows, cols, spread) == SPK_OK, "check");
  EXPECT(spk_fours_s8_unpack(blob, bytes, rows, cols, spread, again) == SPK_OK, "unpack");
  EXPECT(memcmp(dense, again, count) == 0, "%d x %d, %d %%", rows, cols, percent_zero);
  EXPECT(spk_fours_s8_pack(dense, rows, cols, spread, blob, bytes - 1) == SPK_ERR_SPACE, "one");
  EXPECT(spk_fours_s8_check(blob, bytes - 4, rows, cols, spread) == SPK_ERR_FORMAT, "cut");
  EXPECT(spk_fours_s8_check(blob, bytes, rows + 2, cols, spread) == SPK_ERR_FORMAT, "rows");
  free(blob);
  free(again);
  free(dense);
}

// One row of eight columns: weights at 1 and at 4 to 6.
static void known_bytes(void) {
  static const int8_t dense[8] = {0, 5, 0, 0, -6, 7, 8, 0};
  static const uint8_t blocks[] = {2, 0, 0, 0, 2, 0, 0,    0, 0, 0, 1, 0, 0, 0,
                                   0, 0, 0, 5, 0, 0, 0xfa, 7, 8, 0, 0, 0, 0, 0};
  static const uint8_t spread[] = {1, 0, 0, 0, 1, 0, 0, 0, 1, 0,    4, 0, 5, 0, 6, 0,
                                   0, 0, 0, 0, 0, 0, 0, 0, 5, 0xfa, 7, 8, 0, 0, 0, 0};
  uint8_t blob[64];
  EXPECT(spk_fours_s8_pack_size(dense, 1, 8, 0) == sizeof blocks, "size");
  EXPECT(spk_fours_s8_pack(dense, 1, 8, 0, blob, sizeof blob) == SPK_OK, "pack");
  EXPECT(memcmp(blob, blocks, sizeof blocks) == 0, "blocks");
  EXPECT(spk_fours_s8_pack_size(dense, 1, 8, 1) == sizeof spread, "size");
  EXPECT(spk_fours_s8_pack(dense, 1, 8, 1, blob, sizeof blob) == SPK_OK, "pack");
  EXPECT(memcmp(blob, spread, sizeof spread) == 0, "spread");
}

static void impossible(void) {
  static const int8_t dense[70000];
  uint8_t blob[16];
  EXPECT(spk_fours_s8_pack_size(dense, 1, 6, 0) == 0, "half a block");
  EXPECT(spk_fours_s8_pack(dense, 1, 6, 0, blob, 16) == SPK_ERR_UNSUPPORTED, "half a block");
  EXPECT(spk_fours_s8_pack_size(dense, 1, 70000, 1) == 0, "columns beyond the index");
  EXPECT(spk_fours_s8_pack_size(NULL, 1, 4, 1) == 0, "null");
  EXPECT(spk_fours_s8_pack(dense, 0, 4, 1, blob, 16) == SPK_ERR_ARGUMENT, "no rows");
  EXPECT(spk_fours_s8_check(NULL, 4, 1, 4, 1) == SPK_ERR_ARGUMENT, "null");
  EXPECT(spk_fours_s8_unpack(blob, 16, 1, 4, 1, NULL) == SPK_ERR_ARGUMENT, "no room");
}

// Good blobs with one byte changed or cut off, and random bytes: never a read outside (the
// address sanitizer watches), and unpack agrees with check.
static void fuzz(void) {
  for (int i = 0; i < 3000; ++i) {
    const int32_t rows = spk_random_int(1, 4), cols = 4 * spk_random_int(1, 9);
    const int32_t spread = spk_random_int(0, 1);
    int8_t *dense = spk_test_buffer((size_t)(rows * cols));
    fill(dense, (size_t)(rows * cols), 60);
    size_t bytes = spk_fours_s8_pack_size(dense, rows, cols, spread);
    uint8_t *blob = spk_test_buffer(bytes);
    EXPECT(spk_fours_s8_pack(dense, rows, cols, spread, blob, bytes) == SPK_OK, "pack");
    blob[spk_random_int(0, (int32_t)bytes - 1)] = (uint8_t)spk_random_int(0, 255);
    if (i % 3 == 0) bytes = (size_t)spk_random_int(0, (int32_t)bytes);
    uint8_t *exact = spk_test_buffer(bytes);
    memcpy(exact, blob, bytes);
    const spk_status checked = spk_fours_s8_check(exact, bytes, rows, cols, spread);
    EXPECT(spk_fours_s8_unpack(exact, bytes, rows, cols, spread, dense) == checked, "%d", i);
    free(exact);
    free(blob);
    free(dense);
  }
}

int main(void) {
  known_bytes();
  impossible();
  fuzz();
  for (int i = 0; i < 60; ++i) {
    round_trip(spk_random_int(1, 9), 4 * spk_random_int(1, 300), i % 2, spk_random_int(0, 100));
  }
  return spk_test_result();
}
