#include <cpuid.h>

#include "kernels/x86/kernels_x86.h"

int spk_has_avx2(void) {
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

// Compilers before gcc 13 and clang 17 do not know "avxvnni" here: leaf 7.1, EAX bit 4.
int spk_has_avxvnni(void) {
  unsigned eax, ebx, ecx, edx;
  return spk_has_avx2() && __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) && (eax >> 4 & 1);
}

int spk_has_avx512(void) { return spk_has_avx2() && __builtin_cpu_supports("avx512f"); }

int spk_has_avx512vnni(void) {
  return spk_has_avx512() && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
}

int spk_has_avx512vbmi(void) {
  return spk_has_avx512vnni() && __builtin_cpu_supports("avx512vbmi");
}
