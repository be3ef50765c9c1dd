// Kernels in plain C, references first: rows of kernel_table.c.
SPK_KERNEL(spk_fully_connected_f32_dense__ref, SPK_FULLY_CONNECTED, SPK_F32, "dense", c,
           spk_dense_pack_size, spk_dense_pack, spk_no_scratch, spk_batch_units, "none")
SPK_KERNEL(spk_conv2d_f32_dense__ref, SPK_CONV_2D, SPK_F32, "dense", c, spk_dense_pack_size,
           spk_dense_pack, spk_no_scratch, spk_batch_units, "none")
SPK_KERNEL_BY(spk_run_fully_connected_s8_dense__ref, spk_fully_connected_s8_dense__ref,
              SPK_FULLY_CONNECTED, SPK_S8, "dense", c, spk_dense_pack_size, spk_dense_pack,
              spk_no_scratch, spk_batch_units, "none")
SPK_KERNEL_BY(spk_run_conv2d_s8_dense__ref, spk_conv2d_s8_dense__ref, SPK_CONV_2D, SPK_S8,
              "dense", c, spk_dense_pack_size, spk_dense_pack, spk_no_scratch, spk_batch_units,
              "none")
SPK_KERNEL_BY(spk_run_depthwise_conv2d_s8_dense__ref, spk_depthwise_conv2d_s8_dense__ref,
              SPK_DEPTHWISE_CONV_2D, SPK_S8, "dense", c, spk_dense_pack_size, spk_dense_pack,
              spk_no_scratch, spk_batch_units, "none")
SPK_KERNEL(spk_fully_connected_f32_csr__c, SPK_FULLY_CONNECTED, SPK_F32, "csr_f32", c,
           spk_csr_pack_size, spk_csr_pack, spk_no_scratch, spk_batch_units, "none")
SPK_KERNEL(spk_fully_connected_f32_blocks16x1__c, SPK_FULLY_CONNECTED, SPK_F32, "blocks_f32", c,
           spk_row_blocks16_pack_size, spk_row_blocks16_pack, spk_row_blocks16_scratch,
           spk_row_blocks16_units, "none")
SPK_KERNEL(spk_conv2d_f32_csr__c, SPK_CONV_2D, SPK_F32, "csr_f32", c, spk_csr_pack_size,
           spk_csr_pack, spk_conv2d_f32_csr__c_scratch, spk_batch_units, "none")
SPK_KERNEL_BY(spk_run_fully_connected_s8_stream__c, spk_fully_connected_s8_stream__c,
              SPK_FULLY_CONNECTED, SPK_S8, "stream_s8", c, spk_stream_pack_size,
              spk_stream_pack, spk_fully_connected_s8_stream_scratch, spk_batch_units,
              "a row holds at most 65535 pairs")
SPK_KERNEL_BY(spk_run_conv2d_s8_stream__c, spk_conv2d_s8_stream__c, SPK_CONV_2D, SPK_S8,
              "stream_s8", c, spk_stream_pack_size, spk_stream_pack,
              spk_conv2d_s8_stream_scratch, spk_batch_units, "a row holds at most 65535 pairs")
