// CONV_2D between gates, int8: channels whose gate is zero are neither read nor
// computed.
//
// A gate is one value a channel. The gate of the outputs multiplies them; that
// of the inputs has multiplied them already, so that channels where it is zero
// hold nothing but the zero point. The live channels, the weights between them
// and their parameters are gathered, once an image, and make a smaller
// convolution, which the kernel of the whole layer computes. Results are those
// of CONV_2D and MUL over all channels, bit for bit.
#ifndef SPK_GATED_S8_H_
#define SPK_GATED_S8_H_

#include "spk/elementwise_s8.h"
#include "spk/types.h"

#ifdef __cplusplus
extern "C" {
#endif

// One image: window->batch is 1. At most `most_in` and `most_out` channels have a gate that is
// not zero: fewer than there are where there is a gate, all where there is none. The scratch
// memory is made for so many. `requant->lane_run` must hold for any choice of columns.
// `kernel_scratch` is what the kernel needs for the smaller convolution at its largest.
typedef struct spk_gated {
  const spk_window2d *window;
  const spk_requant *requant;
  const spk_mul *mul;  // outputs times their gate
  int32_t in_zero;     // zero point of the gate of the inputs
  int32_t most_in, most_out;
  int32_t weight_bytes;  // of the gathered weights at their largest
  int32_t kernel_scratch;
} spk_gated;

// The kernels that they call: those of CONV_2D with dense weights, and with a
// stream.
typedef void spk_conv2d_s8_dense(const spk_window2d *, const spk_requant *, const int8_t *,
                                 const int8_t *, const int32_t *, int8_t *, void *);
typedef void spk_conv2d_s8_stream(const spk_window2d *, const spk_requant *, const int8_t *,
                                  const uint8_t *, const int32_t *, int8_t *, void *);

// `in_gate` or `out_gate` may be NULL; without `out_gate` there is no MUL.
// Scratch memory is aligned to 4 bytes, like that of the kernels.
void spk_conv2d_s8_gated_dense__c(const spk_gated *g, spk_conv2d_s8_dense *kernel,
                                  const int8_t *input, const int8_t *in_gate,
                                  const int8_t *weights, const int32_t *bias,
                                  const int8_t *out_gate, int8_t *output, void *scratch);
void spk_conv2d_s8_gated_stream__c(const spk_gated *g, spk_conv2d_s8_stream *kernel,
                                   const int8_t *input, const int8_t *in_gate,
                                   const uint8_t *stream, const int32_t *bias,
                                   const int8_t *out_gate, int8_t *output, void *scratch);
size_t spk_conv2d_s8_gated__c_scratch(const spk_gated *g);

// ---- What both are made of (kernels/portable/gated_s8.c).

// Live channels and their parameters, in scratch memory.
typedef struct spk_live {
  spk_window2d window;  // of the smaller convolution
  spk_requant requant;
  const int32_t *bias;
  const int8_t *input;
  int8_t *output;
  const int16_t *in, *out;  // which channels: (window.in_c,), (window.out_c,)
  const int16_t *place;     // (in_c,) its place among the live ones, or -1
  const int8_t *gate;       // (window.out_c,)
  uint8_t *weights;         // to be filled
  void *scratch;            // for the kernel
} spk_live;

spk_live spk_gather_live_s8(const spk_gated *g, const int8_t *input, const int8_t *in_gate,
                            const int32_t *bias, const int8_t *out_gate, int8_t *output,
                            void *scratch);

// Multiplies the outputs of the smaller convolution by their gates and puts
// them in place.
void spk_scatter_live_s8(const spk_gated *g, const spk_live *live, int8_t *output);

#ifdef __cplusplus
}
#endif
#endif  // SPK_GATED_S8_H_
