// The options of the delegate, as they arrive: names and values are strings.
#ifndef SPK_DELEGATE_OPTIONS_H_
#define SPK_DELEGATE_OPTIONS_H_

#include <stdbool.h>
#include <stddef.h>

enum { kSpkMostPath = 4096 };

typedef enum spk_chains { SPK_CHAINS_AUTO, SPK_CHAINS_OFF, SPK_CHAINS_ALWAYS } spk_chains;

typedef struct spk_options {
  int num_threads;      // 0: what the interpreter recommends
  double min_sparsity;  // negative: the cost rule decides
  bool verbose;
  spk_chains chains;  // of layers that hand planes to each other
  bool tuning;        // kernels are timed on the layers, not only expected to take so long
  char tuning_cache[kSpkMostPath];  // a path, or ""
} spk_options;

// Writes one sentence into `error` and returns false for an unknown option or a bad value.
bool spk_parse_options(const char *const *names, const char *const *values, size_t count,
                       spk_options *options, char *error, size_t error_size);

#endif  // SPK_DELEGATE_OPTIONS_H_
