// Prints how many ticks of the SysTick timer an inference of the model takes.
#include <stdint.h>
#include <stdio.h>

#include "model.h"

static volatile uint32_t *const kControl = (volatile uint32_t *)0xE000E010;
static volatile uint32_t *const kReload = (volatile uint32_t *)0xE000E014;
static volatile uint32_t *const kCurrent = (volatile uint32_t *)0xE000E018;

int main(void) {
  static model_arena arena;
  if (model_init(&arena, sizeof arena) != MODEL_OK) return 1;
  *kReload = 0xFFFFFF;
  *kCurrent = 0;
  *kControl = 5;  // on, at the processor's clock, without interrupts
  const uint32_t before = *kCurrent;
  const int status = model_invoke(&arena, sizeof arena);
  const uint32_t after = *kCurrent;
  printf("%lu\n", (unsigned long)((before - after) & 0xFFFFFF));  // it counts down
  return status;
}
