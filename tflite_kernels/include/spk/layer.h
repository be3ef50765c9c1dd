// One FULLY_CONNECTED, CONV_2D or DEPTHWISE_CONV_2D layer as a kernel sees it, and the
// arguments of a kernel.
#ifndef SPK_LAYER_H_
#define SPK_LAYER_H_

#include "spk/types.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef enum spk_op {
  SPK_FULLY_CONNECTED = 0,
  SPK_CONV_2D = 1,
  SPK_DEPTHWISE_CONV_2D = 2,
} spk_op;
typedef enum spk_dtype { SPK_F32 = 0, SPK_S8 = 1 } spk_dtype;

// FULLY_CONNECTED is the 1x1 window over `batch` images of one pixel: in_c inputs, out_c rows.
// DEPTHWISE_CONV_2D has weights (1, kernel_h, kernel_w, out_c), and out_c is a multiple of
// in_c.
typedef struct spk_layer {
  spk_op op;
  spk_dtype dtype;
  spk_window2d window;
  spk_requant requant;     // int8 only
  float act_min, act_max;  // float32 only
  const void *bias;        // (out_c,) float32 or int32, or NULL; pack() may rely on it
  int32_t threads;         // that will share the work: above 1, kernels cut it finer
  int32_t groups;          // CONV_2D: of channels, between which weights are zero; 0 says 1
} spk_layer;

// What a kernel gets. The work is cut into units that do not depend on each other; one call
// computes the units [begin, end) of the output and may use `scratch` as it likes.
typedef struct spk_args {
  const spk_layer *layer;
  const void *packed;
  const void *input;  // (batch, in_h, in_w, in_c)
  void *output;       // (batch, out_h, out_w, out_c)
  void *scratch;      // aligned to 64 bytes
  int32_t begin, end;
} spk_args;

// Kernels need not know: to them a grouped convolution is a sparse one.
static inline int32_t spk_layer_groups(const spk_layer *layer) {
  return layer->groups > 1 ? layer->groups : 1;
}

// Inputs that one output sees: the columns of the weight matrix, or depthwise its rows.
static inline int32_t spk_layer_cols(const spk_layer *layer) {
  const spk_window2d *w = &layer->window;
  return w->kernel_h * w->kernel_w * (layer->op == SPK_DEPTHWISE_CONV_2D ? 1 : w->in_c);
}

// SPK_OK when every size is positive, every tensor has at most INT32_MAX / 8 elements and the
// windows fit: what the kernels trust afterwards.
spk_status spk_layer_check(const spk_layer *layer);

#ifdef __cplusplus
}
#endif
#endif  // SPK_LAYER_H_
