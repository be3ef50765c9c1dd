// What kernels and models use of string.h, for a processor without a C library.
#ifndef SPK_HEXAGON_STRING_H_
#define SPK_HEXAGON_STRING_H_

#include <stddef.h>

void *memcpy(void *restrict to, const void *restrict from, size_t bytes);
void *memmove(void *to, const void *from, size_t bytes);
void *memset(void *to, int value, size_t bytes);

#endif  // SPK_HEXAGON_STRING_H_
