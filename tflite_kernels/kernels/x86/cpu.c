#include <cpuid.h>
#include <stdatomic.h>
#include <string.h>

#include "kernels/x86/kernels_x86.h"

// Instruction sets that kernels are written for.
enum { kAvx2 = 1, kAvxVnni = 2, kAvx512 = 4, kAvx512Vnni = 8, kAvx512Vbmi = 16 };

static atomic_int hidden;  // see spk_use_isa()

int spk_use_isa(const char *isa) {
  static const struct {
    const char *name;
    int hidden;
  } kMachines[] = {{"c", ~0},
                   {"avx2", ~kAvx2},
                   {"avxvnni", ~(kAvx2 | kAvxVnni)},
                   {"avx512", ~(kAvx2 | kAvx512)},
                   {"avx512vnni", kAvx512Vbmi},
                   {"", 0}};
  for (size_t i = 0; i < sizeof(kMachines) / sizeof(kMachines[0]); ++i) {
    if (strcmp(kMachines[i].name, isa) != 0) continue;
    atomic_store_explicit(&hidden, kMachines[i].hidden, memory_order_relaxed);
    return 1;
  }
  return 0;
}

static int is_seen(int isa) {
  return !(atomic_load_explicit(&hidden, memory_order_relaxed) & isa);
}

int spk_has_avx2(void) {
  return is_seen(kAvx2) && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

// Compilers before gcc 13 and clang 17 do not know "avxvnni" here: leaf 7.1, EAX bit 4.
int spk_has_avxvnni(void) {
  unsigned eax, ebx, ecx, edx;
  return is_seen(kAvxVnni) && spk_has_avx2() &&
         __get_cpuid_count(7, 1, &eax, &ebx, &ecx, &edx) && (eax >> 4 & 1);
}

int spk_has_avx512(void) {
  return is_seen(kAvx512) && spk_has_avx2() && __builtin_cpu_supports("avx512f");
}

int spk_has_avx512vnni(void) {
  return is_seen(kAvx512Vnni) && spk_has_avx512() && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
}

int spk_has_avx512vbmi(void) {
  return is_seen(kAvx512Vbmi) && spk_has_avx512vnni() && __builtin_cpu_supports("avx512vbmi");
}

// The first level of a leaf that lists caches (Intel: 4, AMD: 0x8000001d), 0 if there is none.
static int32_t listed_cache_bytes(unsigned leaf) {
  unsigned eax, ebx, ecx, edx;
  for (unsigned i = 0; i < 8 && __get_cpuid_count(leaf, i, &eax, &ebx, &ecx, &edx); ++i) {
    const unsigned type = eax & 31, level = eax >> 5 & 7;
    if (type == 0) return 0;
    if (type == 1 && level == 1)
      return (int32_t)(((ebx >> 22) + 1) * ((ebx >> 12 & 1023) + 1) * ((ebx & 4095) + 1) *
                       (ecx + 1));
  }
  return 0;
}

int32_t spk_first_cache_bytes(void) {
  static atomic_int known;
  int32_t bytes = atomic_load_explicit(&known, memory_order_relaxed);
  if (bytes) return bytes;  // asking takes microseconds in a virtual machine
  bytes = listed_cache_bytes(4);
  if (bytes == 0) bytes = listed_cache_bytes(0x8000001d);
  if (bytes < 16 * 1024 || bytes > 256 * 1024) bytes = 32 * 1024;
  atomic_store_explicit(&known, bytes, memory_order_relaxed);
  return bytes;
}
