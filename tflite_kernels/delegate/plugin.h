// What the interpreters look up in the shared library.
#ifndef SPK_DELEGATE_PLUGIN_H_
#define SPK_DELEGATE_PLUGIN_H_

#include "delegate/tflite_abi.h"
#include "spk/types.h"

// Returns NULL after report_error(one sentence) when an option is unknown or a value is bad.
SPK_API TfLiteDelegate *tflite_plugin_create_delegate(const char *const *names,
                                                      const char *const *values, size_t count,
                                                      void (*report_error)(const char *));
SPK_API void tflite_plugin_destroy_delegate(TfLiteDelegate *delegate);

#endif  // SPK_DELEGATE_PLUGIN_H_
