// What the tests use of stdlib.h, for a processor without a C library. A test may allocate
// 256 MB in all: nothing is used twice.
#ifndef SPK_TESTS_STDLIB_H_
#define SPK_TESTS_STDLIB_H_

#include <stdint.h>

#include "system.h"

enum { SPK_TESTS_HEAP = 1 << 28 };

_Noreturn static inline void abort(void) { system_exit(99); }

static inline void *malloc(size_t bytes) {
  static _Alignas(128) char heap[SPK_TESTS_HEAP];
  static size_t used;
  const size_t first = used;
  if (bytes > SPK_TESTS_HEAP - 128 - used) return NULL;
  used += (bytes + 15) & ~(size_t)15;
  return heap + first;
}

static inline void *aligned_alloc(size_t alignment, size_t bytes) {
  char *const memory = malloc(bytes + alignment);
  return memory == NULL ? NULL : memory + -(uintptr_t)memory % alignment;
}

static inline void free(void *memory) { (void)memory; }

#endif  // SPK_TESTS_STDLIB_H_
