// Operators that only move elements, whatever their type.
#ifndef SPK_MOVES_H_
#define SPK_MOVES_H_

#include "spk/types.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { SPK_COPY_AXES = 5 };

// Every run of bytes goes from one grid of places to another. All steps are in bytes and may be
// negative, or 0 to repeat; `from_first` and `to_first` lie at index 0 of every axis.
typedef struct spk_copy {
  int32_t run;                                     // bytes, neighbours in both
  int32_t count[SPK_COPY_AXES];                    // runs along each axis, at least 1
  int32_t from[SPK_COPY_AXES], to[SPK_COPY_AXES];  // bytes from one run to the next
  int32_t from_first, to_first;
} spk_copy;

// TRANSPOSE, slices, CONCATENATION, SPLIT, PACK, UNPACK, and inputs that repeat along axes.
void spk_copy__c(const spk_copy *c, const void *input, void *output);

#ifdef __cplusplus
}
#endif
#endif  // SPK_MOVES_H_
