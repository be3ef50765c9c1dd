// All kernels, references first; between kernels that meet their preconditions the delegate
// takes the one that delegate/cost_rule.c expects to be the fastest.
#include "spk/kernel_table.h"

#include "kernels/adapters.h"
#include "kernels/portable/row_blocks_f32.h"
#include "spk/kernels_f32.h"

#if defined(__x86_64__)
#include "kernels/x86/depthwise_columns_s8.h"
#include "kernels/x86/depthwise_pairs_s8.h"
#include "kernels/x86/depthwise_s8.h"
#include "kernels/x86/kernels_x86.h"
#include "kernels/x86/lanes_f32.h"
#include "kernels/x86/planar_f32.h"
#include "kernels/x86/planar_fours_s8.h"
#include "kernels/x86/planar_s8.h"
#include "kernels/x86/row_blocks_x86.h"
#include "kernels/x86/windows_x86.h"
#endif
#if defined(__aarch64__)
#include "kernels/aarch64/dense_conv_s8_neon.h"
#include "kernels/aarch64/dense_f32_neon.h"
#include "kernels/aarch64/kernels_aarch64.h"
#include "kernels/aarch64/planar_f32_neon.h"
#include "kernels/aarch64/planar_s8_neon.h"
#include "kernels/aarch64/row_blocks_aarch64.h"
#include "kernels/aarch64/windows_aarch64.h"
#endif

// What says whether this machine runs kernels of an instruction set.
#define SPK_AVAILABLE_c          spk_always_available
#define SPK_AVAILABLE_avx2       spk_has_avx2
#define SPK_AVAILABLE_avx512     spk_has_avx512
#define SPK_AVAILABLE_avxvnni    spk_has_avxvnni
#define SPK_AVAILABLE_avx512vnni spk_has_avx512vnni
#define SPK_AVAILABLE_avx512vbmi spk_has_avx512vbmi
#define SPK_AVAILABLE_neon       spk_always_available
#define SPK_AVAILABLE_neondot    spk_has_neondot
#define SPK_AVAILABLE_neoni8mm   spk_has_neoni8mm

#define SPK_KERNEL(kernel, ...) SPK_KERNEL_BY(kernel, kernel, __VA_ARGS__)
#define SPK_KERNEL_BY(run_, kernel, op_, dtype_, format_, isa_, size_, pack_, scratch_, \
                      units_, condition)                                                \
  {                                                                                     \
      .name = #kernel,                                                                  \
      .op = op_,                                                                        \
      .dtype = dtype_,                                                                  \
      .format = format_,                                                                \
      .isa = #isa_,                                                                     \
      .precondition = condition,                                                        \
      .available = SPK_AVAILABLE_##isa_,                                                \
      .pack_size = size_,                                                               \
      .pack = pack_,                                                                    \
      .scratch = scratch_,                                                              \
      .units = units_,                                                                  \
      .run = run_,                                                                      \
  },

// clang-format off
static const spk_kernel kKernels[] = {
#include "kernels/portable/table_rows.h"
#if defined(__x86_64__)
#include "kernels/x86/table_rows.h"
#endif
#if defined(__aarch64__)
#include "kernels/aarch64/table_rows.h"
#endif
};
// clang-format on

const spk_kernel *spk_kernel_table(int32_t *count) {
  *count = (int32_t)(sizeof(kKernels) / sizeof(kKernels[0]));
  return kKernels;
}
