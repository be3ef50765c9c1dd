// Costs of kernels on 64-bit Arm: instructions counted under QEMU (bench/count.c, Clang), 0.2
// ns each, which is 2.3 a cycle at 2.2 GHz. No processor was timed: what is meant are the
// ratios between kernels, and to the dense kernels here, which stand for the stock
// interpreter's.
#ifndef SPK_DELEGATE_COSTS_AARCH64_H_
#define SPK_DELEGATE_COSTS_AARCH64_H_

// packed_byte, window, input, output, as in cost_rule.c, whose rows count where one is missing.
static const kernel_cost kAarch64Costs[] = {
    {"spk_fully_connected_f32_dense__neon", 0.027, 0, 0, 0.8},
    {"spk_fully_connected_f32_csr__c", 0.127, 0, 0, 1.0},
    {"spk_fully_connected_f32_blocks16x1__c", 0.041, 0, 0, 1.0},
    {"spk_fully_connected_f32_blocks8x1__neon", 0.015, 0, 0, 0.8},
    {"spk_fully_connected_f32_blocks16x1__neon", 0.015, 0, 0, 0.7},
    {"spk_fully_connected_f32_windows__neon", 0.056, 0, 0, 0.7},
    {"spk_fully_connected_s8_dense__neon", 0.065, 0, 0, 2.0},
    {"spk_fully_connected_s8_dense__neondot", 0.0227, 0, 0, 2.0},
    {"spk_fully_connected_s8_stream__c", 0.65, 0, 0, 4.0},
    {"spk_fully_connected_s8_blocks16x4__neon", 0.069, 0, 0, 2.0},
    {"spk_fully_connected_s8_blocks16x4__neondot", 0.031, 0, 0, 2.0},
    {"spk_fully_connected_s8_windows__neon", 0.049, 0, 0, 2.0},
    {"spk_fully_connected_s8_windows__neondot", 0.031, 0, 0, 2.0},
    {"spk_conv2d_f32_dense__neon", 0.0155, 0.0155, 0, 0.5},
    {"spk_conv2d_f32_csr__c", 0.018, 0.018, 0.9, 1.5},
    {"spk_conv2d_f32_blocks1x1__neon", 0.0121, 0.0121, 0.22, 0.6},
    {"spk_conv2d_f32_blocks2x1__neon", 0.0121, 0.0121, 0.22, 0.6},
    {"spk_conv2d_f32_blocks4x1__neon", 0.0134, 0.0134, 0.22, 0.6},
    {"spk_conv2d_s8_dense__neon", 0.066, 0.066, 0, 0.5},
    {"spk_conv2d_s8_dense__neondot", 0.0166, 0.0166, 0, 0.5},
    {"spk_conv2d_s8_dense__neoni8mm", 0.0105, 0.0105, 0, 0.5},
    {"spk_conv2d_s8_pairs__neon", 0.0122, 0.0122, 0.18, 0.6},
    {"spk_conv2d_s8_quads__neondot", 0.0115, 0.0115, 0.18, 0.6},
    {"spk_conv2d_s8_blocks1x4__neondot", 0.0115, 0.0115, 0.07, 0.6},
};

#endif  // SPK_DELEGATE_COSTS_AARCH64_H_
