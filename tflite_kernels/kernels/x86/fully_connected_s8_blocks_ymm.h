// fully_connected_s8_blocks_template.h for ymm registers: eight rows a block; the including
// file defines TARGET, DOT, INPUT_BIAS and FLIP.
#define VECTOR  __m256i
#define LANES   8
#define LOAD(p) _mm256_loadu_si256((const __m256i *)(const void *)(p))
#define SET32   _mm256_set1_epi32
#define ZERO    _mm256_setzero_si256
#define ADD     _mm256_add_epi32
#define ROWS    spk_rows_avx2
#define ROWS_OF spk_rows_of_avx2
#define FINISH  spk_finish_rows_avx2
#define NAME(x) x##_ymm
#include "kernels/x86/fully_connected_s8_blocks_template.h"
