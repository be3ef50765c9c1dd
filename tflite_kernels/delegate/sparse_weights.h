// Dense copies of constant tensors, also of those stored with TFLite's `sparsity`.
#ifndef SPK_DELEGATE_SPARSE_WEIGHTS_H_
#define SPK_DELEGATE_SPARSE_WEIGHTS_H_

#include "delegate/tflite_abi.h"

// Bytes of the tensor when dense; 0 when the shape or type is not one that we take.
size_t spk_dense_bytes(const TfLiteTensor *tensor);

// Writes the dense values. Every segment and index of `sparsity` is checked before it is used.
// Returns NULL, or why the tensor cannot be read.
const char *spk_dense_weights(const TfLiteTensor *tensor, void *dense, size_t bytes);

#endif  // SPK_DELEGATE_SPARSE_WEIGHTS_H_
