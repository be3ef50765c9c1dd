// Goes through a model and claims the nodes that we run faster.
#ifndef SPK_DELEGATE_PARTITION_H_
#define SPK_DELEGATE_PARTITION_H_

#include "delegate/tflite_abi.h"

TfLiteStatus spk_delegate_prepare(TfLiteContext *context, TfLiteDelegate *delegate);

#endif  // SPK_DELEGATE_PARTITION_H_
