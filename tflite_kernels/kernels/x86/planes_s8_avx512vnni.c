// int8 operators on planes with zmm registers and AVX512-VNNI.
#include "kernels/x86/conv2d_s8_blocks_zmm.h"
#include "kernels/x86/depthwise_ends_s8.h"
#include "kernels/x86/planes_s8.h"

#undef TARGET
#define TARGET __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2")))

TARGET static inline __m512i order(__m512i x) {
  return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), x);
}

TARGET static inline void store_some(uint8_t *to, __m512i words, int32_t count) {
  const __mmask16 lanes = count < 16 ? (__mmask16)((1u << count) - 1) : 0xffff;
  _mm512_mask_storeu_epi32(to, lanes, words);
}

#define SAME(from)       _mm512_broadcast_i32x4(_mm_loadu_si128((const void *)(from)))
#define FLOATS           _mm512_castsi512_ps
#define ORDER            order
#define NEXT(here, next) _mm512_alignr_epi64(next, here, 2)
#define STORE_SOME       store_some
#define UNPACKLO8        _mm512_unpacklo_epi8
#define UNPACKHI8        _mm512_unpackhi_epi8
#define UNPACKLO16       _mm512_unpacklo_epi16
#define UNPACKHI16       _mm512_unpackhi_epi16
#define DOTS             _mm512_dpbusd_epi32
#define PAIRS            _mm512_dpwssd_epi32
#define ADD32            _mm512_add_epi32
#define SRA32            _mm512_sra_epi32
#include "kernels/x86/planes_s8_quads.h"

#define MOST1 6
#define MOST2 6
#define MOST4 6
#include "kernels/x86/planes_s8_template.h"

// Byte i of word p is byte p * step + i.
__attribute__((target("avx512f,avx512bw,avx512vl,avx512vbmi"))) static void pack_steps(
    const void *from, int32_t step, int32_t planes, void *to, int32_t stride) {
  const __m512i flip = _mm512_set1_epi8((char)0x80);
  const __m512i word = _mm512_mullo_epi32(
      _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15),
      _mm512_set1_epi32(step * 0x01010101));
  const __m512i place = _mm512_add_epi8(word, _mm512_set1_epi32(0x03020100));
  for (int32_t i = 0; i < planes; ++i) {
    const uint8_t *x = (const uint8_t *)from + (ptrdiff_t)i * kSpkPlanesWord;
    const __m512i words =
        _mm512_permutex2var_epi8(_mm512_loadu_si512(x), place, _mm512_loadu_si512(x + 64));
    _mm512_storeu_si512((uint8_t *)to + (ptrdiff_t)i * stride * kSpkPlanesWord,
                        _mm512_xor_si512(words, flip));
  }
}

#define KERNELS                                                                       \
  .isa = "avx512vnni", .channels = kSpkFour, .pack = spk_planar_fours_s8_pack_avx512, \
  .store = spk_planes_s8_store_avx512, .conv2d = conv2d, .depthwise = depthwise,      \
  .depthwise2 = depthwise2, .add = add

const spk_planes_kernels spk_planes_s8_avx512vnni = {KERNELS};
const spk_planes_kernels spk_planes_s8_avx512vbmi = {KERNELS, .pack_steps = pack_steps};
