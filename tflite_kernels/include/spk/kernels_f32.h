// float32 kernels that run everywhere: the references and portable sparse C.
//
// All take the same arguments (spk/layer.h). One unit of work is one image of the batch.
// Results are clamped to [act_min, act_max] of the layer. No kernel allocates.
#ifndef SPK_KERNELS_F32_H_
#define SPK_KERNELS_F32_H_

#include "spk/layer.h"

#ifdef __cplusplus
extern "C" {
#endif

// The specification: packed = dense weights, (rows, cols) row-major.
void spk_fully_connected_f32_dense__ref(const spk_args *args);
void spk_conv2d_f32_dense__ref(const spk_args *args);

// packed = csr_f32 (spk/formats.h).
void spk_fully_connected_f32_csr__c(const spk_args *args);
void spk_conv2d_f32_csr__c(const spk_args *args);
size_t spk_conv2d_f32_csr__c_scratch(const spk_layer *layer);

// packed = blocks_f32 with an index (kernels/portable/row_blocks_f32.h); one unit of work is
// one group of rows.
void spk_fully_connected_f32_blocks16x1__c(const spk_args *args);

#ifdef __cplusplus
}
#endif
#endif  // SPK_KERNELS_F32_H_
