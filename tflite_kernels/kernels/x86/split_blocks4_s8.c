#include "kernels/x86/split_blocks4_s8.h"

#include <stdlib.h>
#include <string.h>

enum { kMost = 128 };

static int is_large(const int8_t *pair) { return abs(pair[0]) + abs(pair[1]) > kMost; }

// Of the first `count` weights of a row of a block.
static int is_large_row(const int8_t *row, int32_t count) {
  int8_t all[4] = {0};
  memcpy(all, row, (size_t)(count < 4 ? count : 4));
  return is_large(all) || is_large(all + 2);
}

static int is_large_block(const uint32_t *block, size_t height) {
  for (size_t r = 0; r < height; ++r)
    if (is_large_row((const int8_t *)(block + 1 + r), 4)) return 1;
  return 0;
}

size_t spk_split_blocks4_s8_extra(const int8_t *weights, int32_t rows, int32_t cols,
                                  int32_t run, int32_t height) {
  size_t count = 0;
  for (int32_t begin = 0; begin < rows; begin += height)
    for (int32_t first = 0; first < cols; first += run)
      for (int32_t c = 0; c < run; c += 4) {
        int large = 0;
        for (int32_t r = begin; r < begin + height && r < rows; ++r)
          large |= is_large_row(weights + (size_t)r * (size_t)cols + first + c, run - c);
        count += (size_t)large;
      }
  return count * spk_blocks4_s8_words(height) * 4;
}

// One of the two blocks of a large one; no half is larger than 64.
static void halve(const uint32_t *block, size_t height, int second, uint32_t *to) {
  const int8_t *from = (const int8_t *)(block + 1);
  int8_t *half = (int8_t *)(to + 1);
  to[0] = block[0];
  for (size_t i = 0; i < 4 * height; ++i)
    half[i] = (int8_t)(second ? from[i] - from[i] / 2 : from[i] / 2);
}

// From the last block to the first.
void spk_split_blocks4_s8(void *packed) {
  spk_blocks4_s8_header *header = packed;
  const size_t height = (size_t)header->height, words = spk_blocks4_s8_words(header->height);
  uint32_t *first = (uint32_t *)spk_blocks4_s8_first(packed);
  uint32_t *blocks = (uint32_t *)spk_blocks4_s8_blocks(packed);
  uint32_t end = header->blocks, to = end;
  for (uint32_t b = 0; b < end; ++b) to += (uint32_t)is_large_block(blocks + b * words, height);
  header->blocks = to;
  for (int32_t g = header->groups; g-- > 0;) {
    const uint32_t begin = first[g];
    first[g + 1] = to;
    while (end > begin) {
      uint32_t block[5];
      memcpy(block, blocks + (size_t)--end * words, words * 4);
      if (!is_large_block(block, height)) {
        memcpy(blocks + (size_t)--to * words, block, words * 4);
        continue;
      }
      to -= 2;
      for (int second = 0; second < 2; ++second)
        halve(block, height, second, blocks + (size_t)(to + (uint32_t)second) * words);
    }
  }
}
