// What newlib needs so that a test may print and allocate: the console by semihosting, and a
// heap from the end of the data up to the last 32 kB of RAM, which the stack has.
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "semihosting.h"

extern uint8_t end, stack_top;
enum { kStackBytes = 32 << 10 };

int _write(int file, const char *text, int length) {
  static int console = -1;
  (void)file;
  if (console < 0) console = semihosting_open(":tt", 1);
  return length - (int)semihosting_write(console, text, (size_t)length);
}

void *_sbrk(ptrdiff_t bytes) {
  static uint8_t *top = &end;
  uint8_t *const before = top;
  if (bytes > &stack_top - kStackBytes - top) return (void *)-1;
  top += bytes;
  return before;
}

_Noreturn void _exit(int code) { semihosting_exit(code); }

int _read(int file, char *to, int length) {
  (void)file;
  (void)to;
  (void)length;
  return 0;
}

int _close(int file) {
  (void)file;
  return -1;
}

int _lseek(int file, int offset, int from) {
  (void)file;
  (void)offset;
  (void)from;
  return 0;
}

int _fstat(int file, struct stat *about) {
  (void)file;
  about->st_mode = S_IFCHR;
  return 0;
}

int _isatty(int file) {
  (void)file;
  return 1;
}

int _getpid(void) { return 1; }

int _kill(int process, int signal) {
  (void)process;
  semihosting_exit(128 + signal);
}
