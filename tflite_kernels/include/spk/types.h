// Types that every sparse kernel shares: status codes, geometry, quantisation.
//
// Nothing here allocates, and every struct is plain data: the TFLite delegate,
// the exported microcontroller projects and the Python packer use the same ones.
#ifndef SPK_TYPES_H_
#define SPK_TYPES_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Marks what the shared library exports; everything else is hidden.
#if defined(__GNUC__) && !defined(SPK_STATIC)
#define SPK_API __attribute__((visibility("default")))
#else
#define SPK_API
#endif

typedef enum spk_status {
  SPK_OK = 0,
  SPK_ERR_ARGUMENT = 1,     // a null pointer, a negative size, shapes that disagree
  SPK_ERR_FORMAT = 2,       // a packed blob that does not describe its matrix
  SPK_ERR_SPACE = 3,        // the caller's buffer is too small
  SPK_ERR_UNSUPPORTED = 4,  // a valid request that this kernel does not take
} spk_status;

// Geometry of a 2-D window operator (convolution, depthwise, pooling), NHWC.
// Weights are OHWI: (out_c, kernel_h, kernel_w, in_c). Padding is explicit: the
// number of implicit rows above and columns left of the input.
typedef struct spk_window2d {
  int32_t batch, in_h, in_w, in_c;
  int32_t out_h, out_w, out_c;
  int32_t kernel_h, kernel_w;
  int32_t stride_h, stride_w;
  int32_t dilation_h, dilation_w;
  int32_t pad_top, pad_left;
} spk_window2d;

// int8 requantisation, TFLite reference arithmetic.
//   out = clamp(output_offset + round(acc * multiplier[c] * 2^(shift[c] - 31)))
// multiplier is Q0.31; shift > 0 shifts left before, shift < 0 right after.
//
// Convolutions round twice (gemmlowp): the high half of the product, then the shift.
// FULLY_CONNECTED rounds once, ties away from zero, as LiteRT's reference does in
// float64: there multiplier_low holds 32 further bits of the multiplier, so that all
// 53 bits of the float64 scale take part; NULL means 0.
typedef struct spk_requant {
  const int32_t *multiplier;       // (channels,)
  const int32_t *shift;            // (channels,)
  int32_t input_offset;            // -input zero point, in [-127, 128]
  int32_t output_offset;           // output zero point, in [-128, 127]
  int32_t act_min, act_max;        // fused activation, in [-128, 127]
  const uint32_t *multiplier_low;  // (channels,) or NULL
  int32_t round_once;              // set by FULLY_CONNECTED for the kernels that it uses
  int32_t per_tensor;              // FULLY_CONNECTED only: 1 when the arrays have one element
  int32_t round_up;                // FULLY_CONNECTED for Arm: halves may go upwards, and
                                   // multiplier_low has no part, with the same bytes for
                                   // every sum; 1 <= -shift <= 31, and shift has one element
                                   // where the kernel is not for MVE
  int32_t lane_run;  // a promise about the weights, 0 if there is none: sums of so
                     // many neighbouring columns (pairs of a stream) stay within
                     // 2^21, whatever the inputs are; see spk/tile_s8.h
} spk_requant;

#ifdef __cplusplus
}
#endif
#endif  // SPK_TYPES_H_
