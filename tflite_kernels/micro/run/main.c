// Runs an exported model on every set of inputs in inputs.bin. HEADER is its header; for a
// model called digits, CALL(x) is digits_##x and VALUE(x) is DIGITS_##x.
#include HEADER

#include "files.h"

// Instructions that do nothing; the counting plugin looks for them.
#if defined(__arm__)
#define COUNT_FROM_HERE() __asm__ volatile("mov r10, r10" ::: "memory")
#define COUNT_TO_HERE()   __asm__ volatile("mov r11, r11" ::: "memory")
#elif defined(__hexagon__)
#define COUNT_FROM_HERE() __asm__ volatile("r10 = r10" ::: "memory")
#define COUNT_TO_HERE()   __asm__ volatile("r11 = r11" ::: "memory")
#else
#define COUNT_FROM_HERE()
#define COUNT_TO_HERE()
#endif

static _Alignas(VALUE(ARENA_ALIGNMENT)) uint8_t arena[VALUE(ARENA_BYTES)];

static int read_inputs(void) {
  static const size_t bytes[] = VALUE(INPUT_BYTES);
  for (int i = 0; i < VALUE(INPUT_COUNT); ++i) {
    if (!files_read(CALL(input)(arena, i), bytes[i])) return 0;
  }
  return 1;
}

static int write_outputs(void) {
  static const size_t bytes[] = VALUE(OUTPUT_BYTES);
  for (int i = 0; i < VALUE(OUTPUT_COUNT); ++i) {
    if (!files_write(CALL(output)(arena, i), bytes[i])) return 0;
  }
  return 1;
}

int main(void) {
  if (files_open() != 0) return 2;
  if (CALL(init)(arena, sizeof arena) != VALUE(OK)) return 4;
  while (read_inputs()) {
    COUNT_FROM_HERE();
    const int status = CALL(invoke)(arena, sizeof arena);
    COUNT_TO_HERE();
    if (status != VALUE(OK)) return 4;
    if (!write_outputs()) return 3;
  }
  files_close();
  return 0;
}
