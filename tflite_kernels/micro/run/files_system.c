// Files of the machine that emulates us, by system calls.
#include "files.h"
#include "system.h"

static int inputs, outputs;

int files_open(void) {
  inputs = system_open("inputs.bin", 0);
  outputs = system_open("outputs.bin", 1);
  return inputs >= 0 && outputs >= 0 ? 0 : 1;
}

int files_read(void *to, size_t bytes) { return system_read(inputs, to, bytes) == (long)bytes; }

int files_write(const void *from, size_t bytes) {
  return system_write(outputs, from, bytes) == (long)bytes;
}

void files_close(void) {
  system_close(inputs);
  system_close(outputs);
}
