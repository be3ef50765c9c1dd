// What the tests use of string.h, for a processor without a C library.
#ifndef SPK_TESTS_STRING_H_
#define SPK_TESTS_STRING_H_

#include_next <string.h>

static inline int memcmp(const void *a, const void *b, size_t bytes) {
  const unsigned char *x = a, *y = b;
  for (; bytes > 0; --bytes, ++x, ++y) {
    if (*x != *y) return *x - *y;
  }
  return 0;
}

static inline void *memchr(const void *in, int value, size_t bytes) {
  const unsigned char *x = in;
  for (; bytes > 0; --bytes, ++x) {
    if (*x == (unsigned char)value) return (void *)x;
  }
  return NULL;
}

static inline int strncmp(const char *a, const char *b, size_t bytes) {
  size_t same = 0;
  while (same < bytes && a[same] == b[same] && a[same] != '\0') ++same;
  return same < bytes ? a[same] - b[same] : 0;
}

#endif  // SPK_TESTS_STRING_H_
