// What the templates of float32 kernels need to know about ymm registers.
#ifndef SPK_KERNELS_X86_VECTOR_F32_AVX2_H_
#define SPK_KERNELS_X86_VECTOR_F32_AVX2_H_

#include <immintrin.h>

#define TARGET    __attribute__((target("avx2,fma")))
#define VECTOR    __m256
#define LANES     8
#define LOAD      _mm256_loadu_ps
#define STORE     _mm256_store_ps
#define SET1      _mm256_set1_ps
#define FMA       _mm256_fmadd_ps
#define ADD       _mm256_add_ps
#define MIN       _mm256_min_ps
#define MAX       _mm256_max_ps
#define MOST_SUMS 12
#define KEEP(x)   __asm__("" : "+x"(x))
#define NAME(x)   x##_avx2

#endif  // SPK_KERNELS_X86_VECTOR_F32_AVX2_H_
