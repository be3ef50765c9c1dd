// Arm semihosting calls (Arm document "Semihosting for AArch32 and AArch64").
#include "semihosting.h"

#include <stdint.h>
#include <string.h>

enum {
  kOpen = 0x01,
  kClose = 0x02,
  kWrite0 = 0x04,
  kWrite = 0x05,
  kRead = 0x06,
  kExitExtended = 0x20,
  kReadBinary = 1,
  kWriteBinary = 5,
  kApplicationExit = 0x20026,
};

static uint32_t call(uint32_t operation, const void *arguments) {
  register uint32_t r0 __asm__("r0") = operation;
  register const void *r1 __asm__("r1") = arguments;
  __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
  return r0;
}

int semihosting_open(const char *path, int write) {
  const uint32_t arguments[3] = {(uint32_t)(uintptr_t)path, write ? kWriteBinary : kReadBinary,
                                 (uint32_t)strlen(path)};
  return (int)call(kOpen, arguments);
}

size_t semihosting_read(int handle, void *to, size_t bytes) {
  const uint32_t arguments[3] = {(uint32_t)handle, (uint32_t)(uintptr_t)to, (uint32_t)bytes};
  return call(kRead, arguments);
}

size_t semihosting_write(int handle, const void *from, size_t bytes) {
  const uint32_t arguments[3] = {(uint32_t)handle, (uint32_t)(uintptr_t)from, (uint32_t)bytes};
  return call(kWrite, arguments);
}

void semihosting_close(int handle) {
  const uint32_t arguments[1] = {(uint32_t)handle};
  call(kClose, arguments);
}

void semihosting_print(const char *text) { call(kWrite0, text); }

_Noreturn void semihosting_exit(int code) {
  const uint32_t arguments[2] = {kApplicationExit, (uint32_t)code};
  for (;;) call(kExitExtended, arguments);
}
