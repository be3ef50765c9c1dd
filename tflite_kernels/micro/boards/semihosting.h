// Arm semihosting: files, text and the exit code of the machine that emulates us.
#ifndef SPK_SEMIHOSTING_H_
#define SPK_SEMIHOSTING_H_

#include <stddef.h>

int semihosting_open(const char *path, int write);  // a handle, or -1
// Bytes that were not read or written: 0 when all were.
size_t semihosting_read(int handle, void *to, size_t bytes);
size_t semihosting_write(int handle, const void *from, size_t bytes);
void semihosting_close(int handle);
void semihosting_print(const char *text);
_Noreturn void semihosting_exit(int code);

#endif  // SPK_SEMIHOSTING_H_
