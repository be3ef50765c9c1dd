#define _POSIX_C_SOURCE 200809L

#include "delegate/tuner.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "delegate/cost_rule.h"
#include "delegate/machine_speed.h"
#include "delegate/measure.h"
#include "delegate/stock_cost.h"
#include "delegate/tuning_cache.h"
#include "spk/version.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

// Tried are the kernels that are expected to take at most kWorth times as long as the best,
// and only if that one is expected to take at most kHope times as long as the stock kernel.
enum { kCandidates = 4, kMostKernels = 256 };
static const double kWorth = 3.0, kHope = 2.0;

struct spk_tuner {
  pthread_mutex_t mutex;
  spk_tuning_cache cache;
  uint64_t machine;
  char path[];
};

static uint64_t hash(uint64_t seed, const void *data, size_t bytes) {  // FNV-1a
  const uint8_t *p = data;
  for (size_t i = 0; i < bytes; ++i) seed = (seed ^ p[i]) * UINT64_C(0x100000001b3);
  return seed;
}

// The processor, by its name, and the version of the kernels.
static uint64_t machine_hash(void) {
  uint64_t seed = UINT64_C(0xcbf29ce484222325);
#if defined(__x86_64__)
  for (unsigned leaf = 0x80000002; leaf <= 0x80000004; ++leaf) {
    unsigned words[4] = {0};
    if (__get_cpuid(leaf, &words[0], &words[1], &words[2], &words[3]))
      seed = hash(seed, words, sizeof(words));
  }
  unsigned id[4] = {0};
  if (__get_cpuid(1, &id[0], &id[1], &id[2], &id[3])) seed = hash(seed, id, sizeof(id[0]));
#endif
  return hash(seed, spk_version(), strlen(spk_version()));
}

spk_tuner *spk_tuner_create(const char *cache) {
  const size_t length = strlen(cache);
  spk_tuner *tuner = calloc(1, sizeof(*tuner) + length + 1);
  if (!tuner) return NULL;
  memcpy(tuner->path, cache, length);
  tuner->machine = machine_hash();
  pthread_mutex_init(&tuner->mutex, NULL);
  if (length) spk_tuning_read(&tuner->cache, cache);
  return tuner;
}

void spk_tuner_save(spk_tuner *tuner) {
  if (!tuner || !*tuner->path) return;
  pthread_mutex_lock(&tuner->mutex);
  if (tuner->cache.is_changed) spk_tuning_write(&tuner->cache, tuner->path);
  pthread_mutex_unlock(&tuner->mutex);
}

void spk_tuner_destroy(spk_tuner *tuner) {
  if (!tuner) return;
  spk_tuner_save(tuner);
  spk_tuning_clear(&tuner->cache);
  pthread_mutex_destroy(&tuner->mutex);
  free(tuner);
}

// A kernel that takes the layer.
typedef struct candidate {
  const spk_kernel *kernel;
  double expected;
} candidate;

// Fills `found` with all that take the layer, sorted by what they are expected to take. `key`
// names the layer: its shape, and the bytes that each format needs for its weights, which tell
// how many zeros there are and how they lie.
static int find_candidates(const spk_tuner *tuner, const spk_layer *layer, const void *weights,
                           candidate *found, uint64_t *key) {
  int32_t count;
  int total = 0;
  const spk_kernel *kernels = spk_kernel_table(&count);
  *key = hash(tuner->machine, &layer->window, sizeof(layer->window));
  for (int32_t i = 0; i < count && total < kMostKernels; ++i) {
    const spk_kernel *kernel = &kernels[i];
    if (kernel->op != layer->op || kernel->dtype != layer->dtype || !kernel->available() ||
        !spk_has_cost(kernel))
      continue;
    const size_t bytes = kernel->pack_size(layer, weights);
    *key = hash(hash(*key, kernel->name, strlen(kernel->name)), &bytes, sizeof(bytes));
    if (bytes == 0) continue;
    const candidate next = {kernel, spk_expected_nanoseconds(kernel, layer, bytes)};
    int at = total++;
    for (; at > 0 && found[at - 1].expected > next.expected; --at) found[at] = found[at - 1];
    found[at] = next;
  }
  return total;
}

static bool recall(const spk_tuner *tuner, uint64_t key, const candidate *found, int count,
                   spk_choice *choice) {
  const spk_tuning_entry *entry = spk_tuning_find(&tuner->cache, key);
  for (int i = 0; entry && i < count; ++i) {
    if (strcmp(found[i].kernel->name, entry->kernel) != 0) continue;
    choice->kernel = found[i].kernel;
    choice->nanoseconds = entry->nanoseconds;
    return true;
  }
  return false;
}

static bool try_out(spk_tuner *tuner, uint64_t key, const spk_layer *layer, const void *weights,
                    const candidate *found, int count, spk_choice *choice) {
  double best = 0;
  for (int i = 0; i < count && i < kCandidates; ++i) {
    if (found[i].expected > kWorth * found[0].expected) break;
    const double taken = spk_measure_kernel(found[i].kernel, layer, weights);
    if (taken > 0 && (best == 0 || taken < best)) {
      best = taken;
      choice->kernel = found[i].kernel;
    }
  }
  if (best == 0) return false;
  choice->nanoseconds = best;
  spk_tuning_add(&tuner->cache, key, choice->kernel->name, best);
  return true;
}

spk_choice spk_tuner_choose(spk_tuner *tuner, const spk_layer *layer, const void *weights) {
  spk_choice choice = {.stock = spk_stock_nanoseconds(layer)};
  choice.kernel = spk_choose_kernel(layer, weights, &choice.nanoseconds);
  if (!tuner || choice.nanoseconds > kHope * choice.stock) return choice;
  candidate found[kMostKernels];
  uint64_t key;
  spk_layer plain = *layer;
  plain.threads = 1;
  const int count = find_candidates(tuner, &plain, weights, found, &key);
  pthread_mutex_lock(&tuner->mutex);
  choice.is_measured = recall(tuner, key, found, count, &choice) ||
                       try_out(tuner, key, &plain, weights, found, count, &choice);
  pthread_mutex_unlock(&tuner->mutex);
  if (choice.is_measured) choice.stock *= spk_machine_factor(layer);
  return choice;
}
