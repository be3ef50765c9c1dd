// A chain at run time: its registration.
#ifndef SPK_DELEGATE_CHAIN_NODE_H_
#define SPK_DELEGATE_CHAIN_NODE_H_

#include "delegate/tflite_abi.h"

TfLiteRegistration spk_chain_registration(void);

#endif  // SPK_DELEGATE_CHAIN_NODE_H_
