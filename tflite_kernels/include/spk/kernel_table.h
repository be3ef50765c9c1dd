// The table of all FULLY_CONNECTED, CONV_2D and DEPTHWISE_CONV_2D kernels. The delegate's
// choice, the C tests, the C benchmark and the documentation read it: a kernel that is not here
// does not exist.
#ifndef SPK_KERNEL_TABLE_H_
#define SPK_KERNEL_TABLE_H_

#include "spk/layer.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct spk_kernel {
  const char *name;
  spk_op op;
  spk_dtype dtype;
  const char *format;        // of the packed weights
  const char *isa;           // "c" runs everywhere
  const char *precondition;  // in words; pack_size() decides
  int (*available)(void);    // can this machine run it?
  // Bytes of the packed weights; 0 when the layer does not meet the precondition.
  size_t (*pack_size)(const spk_layer *layer, const void *weights);
  spk_status (*pack)(const spk_layer *layer, const void *weights, void *packed, size_t bytes);
  size_t (*scratch)(const spk_layer *layer);  // bytes for each thread
  int32_t (*units)(const spk_layer *layer);
  void (*run)(const spk_args *args);
} spk_kernel;

SPK_API const spk_kernel *spk_kernel_table(int32_t *count);

#ifdef __cplusplus
}
#endif
#endif  // SPK_KERNEL_TABLE_H_
