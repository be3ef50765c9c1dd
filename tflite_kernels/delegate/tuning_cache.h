// What was measured, in memory and in a file that several processes may share.
#ifndef SPK_DELEGATE_TUNING_CACHE_H_
#define SPK_DELEGATE_TUNING_CACHE_H_

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { kSpkTuningName = 64, kSpkTuningEntries = 4096 };

typedef struct spk_tuning_entry {
  uint64_t key;
  double nanoseconds;
  char kernel[kSpkTuningName];
} spk_tuning_entry;

typedef struct spk_tuning_cache {
  spk_tuning_entry *entries;
  int32_t count, capacity;
  bool is_changed;  // since the file was read or written
} spk_tuning_cache;

// The entry of a key, or NULL. Stays valid until the next change.
const spk_tuning_entry *spk_tuning_find(const spk_tuning_cache *cache, uint64_t key);

// Adds an entry unless the key has one, the cache is full or memory is short.
void spk_tuning_add(spk_tuning_cache *cache, uint64_t key, const char *kernel,
                    double nanoseconds);

// Adds what a file holds. A file that is not there is empty; of one that is not whole and sound
// nothing is taken, and a line on stderr says so.
void spk_tuning_read(spk_tuning_cache *cache, const char *path);

// Replaces the file in one step by its own entries and those of the cache; on an error it stays
// as it was, and a line on stderr says so.
void spk_tuning_write(spk_tuning_cache *cache, const char *path);

void spk_tuning_clear(spk_tuning_cache *cache);

#endif  // SPK_DELEGATE_TUNING_CACHE_H_
