// Blocks that vpmaddubsw would saturate become two that add up to them, and no others do.
#if defined(__x86_64__)
#include "kernels/x86/split_blocks4_s8.h"

#include <string.h>

#include "tests/test.h"

// Half of them are as large as they can be.
static int8_t any_weight(void) {
  const int32_t kind = spk_random_int(0, 5);
  if (kind < 2) return 0;
  if (kind == 2) return (int8_t)spk_random_int(-128, 127);
  return (int8_t)(kind == 3 ? -128 : kind == 4 ? 127 : 64);
}

static int is_large(const int8_t *pair) { return abs(pair[0]) + abs(pair[1]) > 128; }

// The weights of the split blocks, by the places that the packer has given them.
static void check(const int8_t *dense, int32_t rows, int32_t cols, int32_t run,
                  int32_t height) {
  const size_t bytes = spk_blocks4_s8_pack_size(dense, rows, cols, run, height);
  const size_t extra = spk_split_blocks4_s8_extra(dense, rows, cols, run, height);
  uint8_t *whole = malloc(bytes), *split = malloc(bytes + extra);
  spk_blocks4_s8_pack(dense, rows, cols, run, height, whole, bytes);
  spk_blocks4_s8_pack(dense, rows, cols, run, height, split, bytes + extra);
  spk_split_blocks4_s8(split);
  const spk_blocks4_s8_header *header = (const void *)split;
  EXPECT(spk_blocks4_s8_bytes(header) == bytes + extra, "%d x %d", rows, cols);
  const size_t words = spk_blocks4_s8_words(height);
  const uint32_t *block = spk_blocks4_s8_blocks(whole), *part = spk_blocks4_s8_blocks(split);
  for (int32_t g = 0; g < header->groups; ++g) {
    const uint32_t *end =
        spk_blocks4_s8_blocks(split) + spk_blocks4_s8_first(split)[g + 1] * words;
    for (uint32_t b = spk_blocks4_s8_first(whole)[g]; b < spk_blocks4_s8_first(whole)[g + 1];
         ++b, block += words) {
      const int8_t *weights = (const int8_t *)(block + 1);
      int large = 0;
      for (int32_t i = 0; i < 4 * height; i += 2) large |= is_large(weights + i);
      int32_t sum[16] = {0};
      for (int n = 0; n <= large && part < end; ++n, part += words) {
        EXPECT(part[0] == block[0], "place %u of %u", part[0], block[0]);
        for (int32_t i = 0; i < 4 * height; ++i) sum[i] += ((const int8_t *)(part + 1))[i];
        for (int32_t i = 0; i < 4 * height; i += 2)
          EXPECT(!is_large((const int8_t *)(part + 1) + i), "height %d", height);
      }
      for (int32_t i = 0; i < 4 * height; ++i)
        EXPECT(sum[i] == weights[i], "%d instead of %d", sum[i], weights[i]);
    }
    EXPECT(part == end, "group %d", g);
  }
  free(whole);
  free(split);
}

int main(void) {
  for (int i = 0; i < 2000; ++i) {
    const int32_t rows = spk_random_int(1, 9), run = spk_random_int(1, 14);
    const int32_t cols = run * spk_random_int(1, 3), height = 1 << spk_random_int(0, 2);
    int8_t dense[9 * 42];
    for (int32_t j = 0; j < rows * cols; ++j) dense[j] = any_weight();
    check(dense, rows, cols, run, height);
  }
  return spk_test_result();
}
#else
#include "tests/test.h"

int main(void) { return spk_test_result(); }
#endif
