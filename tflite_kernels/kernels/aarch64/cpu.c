#include "kernels/aarch64/kernels_aarch64.h"

#if defined(__linux__)
#include <sys/auxv.h>

// What the kernel says about the processor; the constants are part of its interface.
enum { kHwcap = 16, kHwcap2 = 26, kDotprodBit = 20, kI8mmBit = 13 };

int spk_has_neondot(void) { return (int)(getauxval(kHwcap) >> kDotprodBit & 1); }

int spk_has_neoni8mm(void) { return spk_has_neondot() && (getauxval(kHwcap2) >> kI8mmBit & 1); }

#else  // what the compiler was told to expect

int spk_has_neondot(void) {
#if defined(__ARM_FEATURE_DOTPROD)
  return 1;
#else
  return 0;
#endif
}

int spk_has_neoni8mm(void) {
#if defined(__ARM_FEATURE_MATMUL_INT8)
  return spk_has_neondot();
#else
  return 0;
#endif
}

#endif
