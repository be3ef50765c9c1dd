// The C interface between the TFLite interpreter and a delegate, written down from its binary
// layout (LP64) because no package ships the header. The same offsets hold in tflite-runtime
// 2.14, TensorFlow 2.15 - 2.21 and LiteRT 1.4 - 2.3. Newer versions append fields; structs that
// we hand to the host by value carry zeroed spare words for that.
#ifndef SPK_DELEGATE_TFLITE_ABI_H_
#define SPK_DELEGATE_TFLITE_ABI_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum TfLiteStatus { kTfLiteOk = 0, kTfLiteError = 1 } TfLiteStatus;

typedef enum TfLiteType {
  kTfLiteNoType = 0,
  kTfLiteFloat32 = 1,
  kTfLiteInt32 = 2,
  kTfLiteInt8 = 9,
} TfLiteType;

typedef enum TfLiteAllocationType {
  kTfLiteMmapRo = 1,
  kTfLiteArenaRw = 2
} TfLiteAllocationType;

enum {
  kTfLiteAffineQuantization = 1,
  kTfLiteDimDense = 0,
  kTfLiteDimSparseCSR = 1,
  kTfLiteOptionalTensor = -1,
  kTfLiteDelegateFlagsAllowDynamicTensors = 1,
  kTfLiteBuiltinAdd = 0,
  kTfLiteBuiltinConv2d = 3,
  kTfLiteBuiltinDepthwiseConv2d = 4,
  kTfLiteBuiltinFullyConnected = 9,
  kTfLiteBuiltinMul = 18,
  kTfLiteBuiltinRelu = 19,
  kTfLiteBuiltinReluN1To1 = 20,
  kTfLiteBuiltinRelu6 = 21,
  kTfLiteBuiltinHardSwish = 117,
  kTfLiteBuiltinDensify = 124,
  kTfLitePaddingSame = 1,
  kTfLitePaddingValid = 2,
  kTfLiteActNone = 0,
  kTfLiteActRelu = 1,
  kTfLiteActReluN1To1 = 2,
  kTfLiteActRelu6 = 3,
};

typedef struct TfLiteIntArray {
  int size;
  int data[];
} TfLiteIntArray;

typedef struct TfLiteFloatArray {
  int size;
  float data[];
} TfLiteFloatArray;

typedef struct TfLiteQuantizationParams {
  float scale;
  int32_t zero_point;
} TfLiteQuantizationParams;

typedef struct TfLiteAffineQuantization {
  TfLiteFloatArray *scale;
  TfLiteIntArray *zero_point;
  int32_t quantized_dimension;
} TfLiteAffineQuantization;

typedef struct TfLiteQuantization {
  int type;
  void *params;
} TfLiteQuantization;

typedef struct TfLiteDimensionMetadata {
  int format;
  int dense_size;
  TfLiteIntArray *array_segments;
  TfLiteIntArray *array_indices;
} TfLiteDimensionMetadata;

typedef struct TfLiteSparsity {
  TfLiteIntArray *traversal_order;
  TfLiteIntArray *block_map;
  TfLiteDimensionMetadata *dim_metadata;
  int dim_metadata_size;
} TfLiteSparsity;

typedef struct TfLiteTensor {
  int type;
  void *data;
  TfLiteIntArray *dims;
  TfLiteQuantizationParams params;
  int allocation_type;
  size_t bytes;
  const void *allocation;
  const char *name;
  struct TfLiteDelegate *delegate;
  int buffer_handle;
  bool data_is_stale;
  bool is_variable;
  TfLiteQuantization quantization;
  TfLiteSparsity *sparsity;
  const TfLiteIntArray *dims_signature;
} TfLiteTensor;

typedef struct TfLiteNode {
  TfLiteIntArray *inputs;
  TfLiteIntArray *outputs;
  TfLiteIntArray *intermediates;
  TfLiteIntArray *temporaries;
  void *user_data;
  void *builtin_data;
  const void *custom_initial_data;
  int custom_initial_data_size;
  struct TfLiteDelegate *delegate;
  bool might_have_side_effect;
} TfLiteNode;

typedef struct TfLiteDelegateParams {
  struct TfLiteDelegate *delegate;
  TfLiteIntArray *nodes_to_replace;
  TfLiteIntArray *input_tensors;
  TfLiteIntArray *output_tensors;
} TfLiteDelegateParams;

typedef struct TfLiteContext TfLiteContext;

typedef struct TfLiteRegistration {
  void *(*init)(TfLiteContext *context, const char *buffer, size_t length);
  void (*free)(TfLiteContext *context, void *buffer);
  TfLiteStatus (*prepare)(TfLiteContext *context, TfLiteNode *node);
  TfLiteStatus (*invoke)(TfLiteContext *context, TfLiteNode *node);
  const char *(*profiling_string)(const TfLiteContext *context, const TfLiteNode *node);
  int32_t builtin_code;
  const char *custom_name;
  int version;
  void *registration_external;
  void *async_kernel;
  uint64_t inplace_operator;
  uint64_t spare[4];
} TfLiteRegistration;

struct TfLiteContext {
  size_t tensors_size;
  TfLiteStatus (*GetExecutionPlan)(TfLiteContext *context, TfLiteIntArray **plan);
  TfLiteTensor *tensors;
  void *impl_;
  TfLiteStatus (*ResizeTensor)(TfLiteContext *context, TfLiteTensor *tensor,
                               TfLiteIntArray *new_size);
  void (*ReportError)(TfLiteContext *context, const char *format, ...);
  TfLiteStatus (*AddTensors)(TfLiteContext *context, int count, int *first_new_index);
  TfLiteStatus (*GetNodeAndRegistration)(TfLiteContext *context, int node_index,
                                         TfLiteNode **node, TfLiteRegistration **registration);
  TfLiteStatus (*ReplaceNodeSubsetsWithDelegateKernels)(TfLiteContext *context,
                                                        TfLiteRegistration registration,
                                                        const TfLiteIntArray *nodes,
                                                        struct TfLiteDelegate *delegate);
  int recommended_num_threads;
  void *GetExternalContext;
  void *SetExternalContext;
  bool allow_fp32_relax_to_fp16;
  void *profiler;
  void *AllocatePersistentBuffer;
  void *AllocateBufferForEval;
  void *RequestScratchBufferInArena;
  void *GetScratchBuffer;
  void *ResizeTensorExplicit;
  TfLiteStatus (*PreviewDelegatePartitioning)(TfLiteContext *context,
                                              const TfLiteIntArray *nodes,
                                              TfLiteDelegateParams **partitions,
                                              int *num_partitions);
};

typedef struct TfLiteDelegate {
  void *data_;
  TfLiteStatus (*Prepare)(TfLiteContext *context, struct TfLiteDelegate *delegate);
  void *CopyFromBufferHandle;
  void *CopyToBufferHandle;
  void *FreeBufferHandle;
  int64_t flags;
  void *opaque_delegate_builder;
  uint64_t spare[4];
} TfLiteDelegate;

// Builtin operator options. Newer versions append fields, which are not read.
typedef struct TfLiteFullyConnectedParams {
  int activation;
  int weights_format;  // 0: (rows, cols) row-major
  bool keep_num_dims;
} TfLiteFullyConnectedParams;

typedef struct TfLiteConvParams {
  int padding;
  int stride_width;
  int stride_height;
  int activation;
  int dilation_width_factor;
  int dilation_height_factor;
} TfLiteConvParams;

typedef struct TfLiteDepthwiseConvParams {
  int padding;
  int stride_width;
  int stride_height;
  int depth_multiplier;
  int activation;
  int dilation_width_factor;
  int dilation_height_factor;
} TfLiteDepthwiseConvParams;

#if UINTPTR_MAX == UINT64_MAX
_Static_assert(sizeof(TfLiteTensor) == 112, "TfLiteTensor");
_Static_assert(offsetof(TfLiteTensor, sparsity) == 96, "TfLiteTensor.sparsity");
_Static_assert(offsetof(TfLiteNode, might_have_side_effect) == 72, "TfLiteNode");
_Static_assert(offsetof(TfLiteContext, recommended_num_threads) == 72, "TfLiteContext");
_Static_assert(offsetof(TfLiteContext, PreviewDelegatePartitioning) == 152, "TfLiteContext");
_Static_assert(offsetof(TfLiteRegistration, inplace_operator) == 80, "TfLiteRegistration");
_Static_assert(offsetof(TfLiteDelegate, opaque_delegate_builder) == 48, "TfLiteDelegate");
#endif

#endif  // SPK_DELEGATE_TFLITE_ABI_H_
