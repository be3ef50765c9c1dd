// Sparse float32 CONV_2D, output pixels in the lanes of zmm registers.
#include <immintrin.h>

#include "formats/csr_f32.h"
#include "kernels/x86/kernels_x86.h"
#include "kernels/x86/planar_f32.h"

#define TARGET  __attribute__((target("avx512f,avx2,fma")))
#define VECTOR  __m512
#define LANES   16
#define LOAD    _mm512_loadu_ps
#define STORE   _mm512_store_ps
#define SET1    _mm512_set1_ps
#define FMA     _mm512_fmadd_ps
#define ADD     _mm512_add_ps
#define MIN     _mm512_min_ps
#define MAX     _mm512_max_ps
#define NAME(x) x##_avx512
#include "kernels/x86/conv2d_f32_csr_template.h"

void spk_conv2d_f32_csr__avx512(const spk_args *args) {
  static const spk_planar_kernel kernel = {
      .element = sizeof(float),
      .tiles = {128, 64, 32, 16, 0},
      .pack = spk_planar_f32_pack_pixels,
      .compute = compute_avx512,
      .store = spk_planar_f32_store,
  };
  spk_planar_run(args, &kernel);
}
