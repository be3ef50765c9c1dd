// What the tests use of stdio.h, for a processor without a C library: printf of %s and %d.
#ifndef SPK_TESTS_STDIO_H_
#define SPK_TESTS_STDIO_H_

#include <stdarg.h>

#include "system.h"

static inline void spk_test_write(const char *text) {
  size_t bytes = 0;
  while (text[bytes] != '\0') ++bytes;
  (void)system_write(1, text, bytes);
}

static inline void spk_test_write_int(int value) {
  char digits[12] = {0}, *at = digits + 11;
  unsigned size = value < 0 ? 0u - (unsigned)value : (unsigned)value;
  do {
    *--at = (char)('0' + size % 10);
    size /= 10;
  } while (size > 0);
  if (value < 0) *--at = '-';
  spk_test_write(at);
}

static inline int printf(const char *format, ...) {
  va_list values;
  va_start(values, format);
  for (; *format != '\0'; ++format) {
    const char letter[2] = {*format, '\0'};
    if (*format != '%') {
      spk_test_write(letter);
    } else if (*++format == 's') {
      spk_test_write(va_arg(values, const char *));
    } else {
      spk_test_write_int(va_arg(values, int));
    }
  }
  va_end(values);
  return 0;
}

#endif  // SPK_TESTS_STDIO_H_
