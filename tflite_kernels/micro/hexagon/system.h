// Linux system calls, as qemu-hexagon answers them.
#ifndef SPK_HEXAGON_SYSTEM_H_
#define SPK_HEXAGON_SYSTEM_H_

#include <stddef.h>

int system_open(const char *path, int write);  // a handle, or negative
// Bytes that were read or written; negative on an error.
long system_read(int handle, void *to, size_t bytes);
long system_write(int handle, const void *from, size_t bytes);
void system_close(int handle);
_Noreturn void system_exit(int code);

#endif  // SPK_HEXAGON_SYSTEM_H_
