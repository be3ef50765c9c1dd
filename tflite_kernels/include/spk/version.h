// The version of the kernels and of the delegate.
#ifndef SPK_VERSION_H_
#define SPK_VERSION_H_

#include "spk/types.h"

#ifdef __cplusplus
extern "C" {
#endif

SPK_API const char *spk_version(void);

#ifdef __cplusplus
}
#endif
#endif  // SPK_VERSION_H_
