// Sparse int8 FULLY_CONNECTED: sixteen rows share four columns, one zmm register a block.
#include "kernels/x86/inputs_s8.h"
#include "kernels/x86/kernels_x86.h"
#include "kernels/x86/row_blocks_x86.h"
#include "kernels/x86/rows_s8.h"

#define TARGET     __attribute__((target("avx512f,avx512bw,avx512vl,avx512vnni,avx2")))
#define VECTOR     __m512i
#define LANES      16
#define DOT        _mm512_dpbusd_epi32
#define LOAD       _mm512_loadu_si512
#define SET32      _mm512_set1_epi32
#define ZERO       _mm512_setzero_si512
#define ADD        _mm512_add_epi32
#define ROWS       spk_rows_avx512
#define ROWS_OF    spk_rows_of_avx512
#define FINISH     spk_finish_rows_avx512
#define INPUT_BIAS 128
#define FLIP       0x80
#define NAME(x)    x##_zmm
#include "kernels/x86/fully_connected_s8_blocks_template.h"

void spk_fully_connected_s8_blocks16x4__avx512vnni(const spk_args *args) { run_zmm(args); }
