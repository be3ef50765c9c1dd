// The smallest test library that does: checks that count, reproducible random numbers, and
// buffers of exactly the asked size, so that AddressSanitizer sees one byte too many.
#ifndef SPK_TESTS_TEST_H_
#define SPK_TESTS_TEST_H_

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

static int spk_test_failures = 0;

#define EXPECT(condition, ...)                               \
  do {                                                       \
    if (!(condition)) {                                      \
      ++spk_test_failures;                                   \
      printf("%s:%d: %s: ", __FILE__, __LINE__, #condition); \
      printf(__VA_ARGS__);                                   \
      printf("\n");                                          \
    }                                                        \
  } while (0)

// The exit code of a test: its failures, at most 255.
static inline int spk_test_result(void) {
  if (spk_test_failures == 0) printf("ok\n");
  return spk_test_failures > 255 ? 255 : spk_test_failures;
}

static uint64_t spk_test_random_state = 1;

static inline uint32_t spk_random(void) {  // splitmix64
  uint64_t z = (spk_test_random_state += UINT64_C(0x9e3779b97f4a7c15));
  z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
  return (uint32_t)(z >> 32);
}

// In [low, high].
static inline int32_t spk_random_int(int32_t low, int32_t high) {
  return low + (int32_t)(spk_random() % (uint32_t)(high - low + 1));
}

static inline float spk_random_float(void) {  // in [-1, 1)
  return (float)(int32_t)spk_random() / 2147483648.0f;
}

static inline void *spk_test_buffer(size_t bytes) {
  void *buffer = malloc(bytes ? bytes : 1);
  if (!buffer) abort();
  return buffer;
}

// Ends exactly at `bytes`, like spk_test_buffer, and starts on a multiple of 64. The caller
// frees *base.
static inline void *spk_test_aligned(size_t bytes, void **base) {
  const size_t rounded = (bytes + 63) / 64 * 64;
  *base = aligned_alloc(64, rounded + 64);
  if (!*base) abort();
  return *base;
}

#endif  // SPK_TESTS_TEST_H_
