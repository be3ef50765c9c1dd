// Puts kernels that take their arguments one by one, and the packers, behind the common
// signatures of the kernel table.
#ifndef SPK_KERNELS_ADAPTERS_H_
#define SPK_KERNELS_ADAPTERS_H_

#include "spk/kernel_table.h"

int spk_always_available(void);
size_t spk_no_scratch(const spk_layer *layer);
int32_t spk_batch_units(const spk_layer *layer);

size_t spk_dense_pack_size(const spk_layer *layer, const void *weights);
spk_status spk_dense_pack(const spk_layer *layer, const void *weights, void *packed,
                          size_t bytes);
size_t spk_csr_pack_size(const spk_layer *layer, const void *weights);
spk_status spk_csr_pack(const spk_layer *layer, const void *weights, void *packed,
                        size_t bytes);
size_t spk_stream_pack_size(const spk_layer *layer, const void *weights);
spk_status spk_stream_pack(const spk_layer *layer, const void *weights, void *packed,
                           size_t bytes);

void spk_run_fully_connected_s8_dense__ref(const spk_args *args);
void spk_run_conv2d_s8_dense__ref(const spk_args *args);
void spk_run_depthwise_conv2d_s8_dense__ref(const spk_args *args);
void spk_run_fully_connected_s8_stream__c(const spk_args *args);
size_t spk_fully_connected_s8_stream_scratch(const spk_layer *layer);
void spk_run_conv2d_s8_stream__c(const spk_args *args);
size_t spk_conv2d_s8_stream_scratch(const spk_layer *layer);

#endif  // SPK_KERNELS_ADAPTERS_H_
