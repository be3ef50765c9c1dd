// int8 parameters, computed as the runtime's reference kernels compute them.
#ifndef SPK_DELEGATE_QUANTIZATION_H_
#define SPK_DELEGATE_QUANTIZATION_H_

#include "delegate/tflite_abi.h"
#include "spk/kernels_s8.h"
#include "spk/layer.h"

// Returns NULL, or why the quantization of these tensors is not one that we take. `dimension`
// of the weights counts the output channels.
const char *spk_check_quantization(const TfLiteTensor *input, const TfLiteTensor *filter,
                                   const TfLiteTensor *output, int dimension);

// Fills `requant`. `factors` is (3 * channels,) and owned by the caller, who keeps it as long
// as `requant`: multipliers, shifts, and the low words of the multipliers.
void spk_fill_requant(spk_op op, int activation, const TfLiteTensor *input,
                      const TfLiteTensor *filter, const TfLiteTensor *output, int32_t channels,
                      int32_t *factors, spk_requant *requant);

// What spk_add_s8__ref() takes, but for sizes. Returns NULL, or why the runtime's own kernel
// would not take these tensors.
const char *spk_fill_add(const TfLiteTensor *a, const TfLiteTensor *b,
                         const TfLiteTensor *output, int activation, spk_add *add);

// The limits of a fused float32 activation; false for an activation that we do not know.
bool spk_float_range(int activation, float *act_min, float *act_max);

#endif  // SPK_DELEGATE_QUANTIZATION_H_
