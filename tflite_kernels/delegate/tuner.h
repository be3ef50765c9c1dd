// Chooses the kernel of a layer: by the cost rule, or by trying the likely ones for about a
// millisecond each.
#ifndef SPK_DELEGATE_TUNER_H_
#define SPK_DELEGATE_TUNER_H_

#include <stdbool.h>

#include "spk/kernel_table.h"

typedef struct spk_tuner spk_tuner;

typedef struct spk_choice {
  const spk_kernel *kernel;
  double nanoseconds;  // of the kernel
  double stock;        // expected of the stock interpreter, on the same scale
  bool is_measured;    // else nanoseconds are expected too
} spk_choice;

// `cache`: the path of a file of earlier results, or "". NULL only when memory is short.
spk_tuner *spk_tuner_create(const char *cache);

// The kernel for a layer. Without a tuner, or where the cost rule leaves no hope, the cost rule
// decides. Threads may share a tuner.
spk_choice spk_tuner_choose(spk_tuner *tuner, const spk_layer *layer, const void *weights);

// Writes new results to the file, if there is one.
void spk_tuner_save(spk_tuner *tuner);

void spk_tuner_destroy(spk_tuner *tuner);

#endif  // SPK_DELEGATE_TUNER_H_
