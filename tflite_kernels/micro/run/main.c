// Runs an exported model on every set of inputs in inputs.bin.
#include "files.h"
#include "model.h"

// Instructions that do nothing; the counting plugin looks for them.
#if defined(__arm__)
#define COUNT_FROM_HERE() __asm__ volatile("mov r10, r10" ::: "memory")
#define COUNT_TO_HERE()   __asm__ volatile("mov r11, r11" ::: "memory")
#else
#define COUNT_FROM_HERE()
#define COUNT_TO_HERE()
#endif

static int read_inputs(void) {
  static const size_t bytes[] = MODEL_INPUT_BYTES;
  for (int i = 0; i < MODEL_INPUT_COUNT; ++i) {
    if (!files_read(model_input(i), bytes[i])) return 0;
  }
  return 1;
}

static int write_outputs(void) {
  static const size_t bytes[] = MODEL_OUTPUT_BYTES;
  for (int i = 0; i < MODEL_OUTPUT_COUNT; ++i) {
    if (!files_write(model_output(i), bytes[i])) return 0;
  }
  return 1;
}

int main(void) {
  if (files_open() != 0) return 2;
  model_init();
  while (read_inputs()) {
    COUNT_FROM_HERE();
    model_invoke();
    COUNT_TO_HERE();
    if (!write_outputs()) return 3;
  }
  files_close();
  return 0;
}
