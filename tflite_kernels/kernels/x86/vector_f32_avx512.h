// What the templates of float32 kernels need to know about zmm registers.
#ifndef SPK_KERNELS_X86_VECTOR_F32_AVX512_H_
#define SPK_KERNELS_X86_VECTOR_F32_AVX512_H_

#include <immintrin.h>

#define TARGET    __attribute__((target("avx512f,avx2,fma")))
#define VECTOR    __m512
#define LANES     16
#define LOAD      _mm512_loadu_ps
#define STORE     _mm512_store_ps
#define SET1      _mm512_set1_ps
#define FMA       _mm512_fmadd_ps
#define ADD       _mm512_add_ps
#define MIN       _mm512_min_ps
#define MAX       _mm512_max_ps
#define MOST_SUMS 24
#define KEEP(x)   __asm__("" : "+v"(x))
#define NAME(x)   x##_avx512

#endif  // SPK_KERNELS_X86_VECTOR_F32_AVX512_H_
