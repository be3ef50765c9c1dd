// Files of the machine that emulates us.
#include "files.h"
#include "semihosting.h"

static int inputs, outputs;

int files_open(void) {
  inputs = semihosting_open("inputs.bin", 0);
  outputs = semihosting_open("outputs.bin", 1);
  return inputs >= 0 && outputs >= 0 ? 0 : 1;
}

int files_read(void *to, size_t bytes) { return semihosting_read(inputs, to, bytes) == 0; }

int files_write(const void *from, size_t bytes) {
  return semihosting_write(outputs, from, bytes) == 0;
}

void files_close(void) {
  semihosting_close(inputs);
  semihosting_close(outputs);
}
