// Reset handler and vector table for Cortex-M boards under QEMU, all cores.
#include <stdint.h>

#include "semihosting.h"

extern uint32_t stack_top, bss_begin, bss_end, data_begin, data_end, data_in_flash;
int main(void);

#if defined(__ARM_FP) || defined(__ARM_FEATURE_MVE)
static void enable_floating_point(void) {
  volatile uint32_t *const cpacr = (volatile uint32_t *)0xE000ED88;
  *cpacr |= 0xFu << 20;  // full access to coprocessors 10 and 11
  __asm__ volatile("dsb\n isb");
}
#else
static void enable_floating_point(void) {}
#endif

#if defined(__ARM_FEATURE_MVE)
static void enable_low_overhead_loops(void) {
  volatile uint32_t *const ccr = (volatile uint32_t *)0xE000ED14;
  *ccr |= 1u << 19;
  __asm__ volatile("dsb\n isb");
}
#else
static void enable_low_overhead_loops(void) {}
#endif

void reset(void) {
  const uint32_t *from = &data_in_flash;
  for (uint32_t *to = &data_begin; to < &data_end;) *to++ = *from++;
  for (uint32_t *to = &bss_begin; to < &bss_end;) *to++ = 0;
  enable_floating_point();
  enable_low_overhead_loops();
  semihosting_exit(main());
}

static void fault(void) {
  semihosting_print("the processor faulted\n");
  semihosting_exit(99);
}

typedef void (*handler)(void);

// The initial stack pointer, then the handlers of exceptions 1 to 15.
__attribute__((section(".vectors"), used)) static const struct {
  uint32_t *stack;
  handler handlers[15];
} vectors = {
    &stack_top,
    {reset, fault, fault, fault, fault, fault, 0, 0, 0, 0, fault, fault, 0, fault, fault}};
