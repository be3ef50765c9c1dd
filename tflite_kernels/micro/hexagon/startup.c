// Start-up of a Hexagon program under qemu-hexagon, and what a compiler expects of its library.
#include <stdint.h>

#include "string.h"
#include "system.h"

int main(void);

__attribute__((used)) _Noreturn static void begin(void) { system_exit(main()); }

// Vectors on the stack are aligned to 128 bytes.
__attribute__((naked, noreturn, used)) void _start(void) {
  __asm__ volatile("r29 = and(r29, #-256)\n\tcall begin\n");
}

// Word by word where both are aligned; the loops are kept from becoming calls of themselves.
void *memcpy(void *restrict to, const void *restrict from, size_t bytes) {
  char *t = to;
  const char *f = from;
  if ((((uintptr_t)t | (uintptr_t)f) & 7) == 0) {
    for (; bytes >= 8; bytes -= 8, t += 8, f += 8) {
      *(volatile uint64_t *)(void *)t = *(const uint64_t *)(const void *)f;
    }
  }
  for (; bytes > 0; --bytes) *(volatile char *)t++ = *f++;
  return to;
}

// How the compiler copies structs.
void *__hexagon_memcpy_likely_aligned_min32bytes_mult8bytes(void *restrict to,
                                                            const void *restrict from,
                                                            size_t bytes) {
  return memcpy(to, from, bytes);
}

void *memmove(void *to, const void *from, size_t bytes) {
  char *t = to;
  const char *f = from;
  if ((uintptr_t)t <= (uintptr_t)f) return memcpy(to, from, bytes);
  while (bytes-- > 0) ((volatile char *)t)[bytes] = f[bytes];
  return to;
}

void *memset(void *to, int value, size_t bytes) {
  char *t = to;
  const uint64_t eight = (uint8_t)value * UINT64_C(0x0101010101010101);
  if (((uintptr_t)t & 7) == 0) {
    for (; bytes >= 8; bytes -= 8, t += 8) *(volatile uint64_t *)(void *)t = eight;
  }
  for (; bytes > 0; --bytes) *(volatile char *)t++ = (char)value;
  return to;
}

// Division: the processor has none.
typedef struct quotient {
  uint64_t quotient, rest;
} quotient;

static quotient divide(uint64_t a, uint64_t b) {
  quotient q = {0, 0};
  for (int bit = 63; bit >= 0; --bit) {
    q.rest = q.rest << 1 | (a >> bit & 1);
    if (q.rest >= b) {
      q.rest -= b;
      q.quotient |= UINT64_C(1) << bit;
    }
  }
  return q;
}

static uint64_t size_of(int64_t a) { return a < 0 ? -(uint64_t)a : (uint64_t)a; }

static int64_t with_sign(uint64_t size, int negative) {
  return (int64_t)(negative ? -size : size);
}

uint32_t __hexagon_udivsi3(uint32_t a, uint32_t b) {
  uint32_t result = 0, rest = 0;
  for (int bit = 31 - (a != 0 ? __builtin_clz(a) : 31); bit >= 0; --bit) {
    rest = rest << 1 | (a >> bit & 1);
    if (rest >= b) {
      rest -= b;
      result |= 1u << bit;
    }
  }
  return result;
}

uint32_t __hexagon_umodsi3(uint32_t a, uint32_t b) { return a - b * __hexagon_udivsi3(a, b); }

int32_t __hexagon_divsi3(int32_t a, int32_t b) {
  const uint32_t size =
      __hexagon_udivsi3(a < 0 ? -(uint32_t)a : (uint32_t)a, b < 0 ? -(uint32_t)b : (uint32_t)b);
  return (int32_t)((a ^ b) < 0 ? -size : size);
}

int32_t __hexagon_modsi3(int32_t a, int32_t b) { return a - b * __hexagon_divsi3(a, b); }

uint64_t __hexagon_udivdi3(uint64_t a, uint64_t b) { return divide(a, b).quotient; }

uint64_t __hexagon_umoddi3(uint64_t a, uint64_t b) { return divide(a, b).rest; }

int64_t __hexagon_divdi3(int64_t a, int64_t b) {
  return with_sign(divide(size_of(a), size_of(b)).quotient, (a ^ b) < 0);
}

int64_t __hexagon_moddi3(int64_t a, int64_t b) {
  return with_sign(divide(size_of(a), size_of(b)).rest, a < 0);
}
