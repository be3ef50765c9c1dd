// The file is text: a line "keras_prune tuning 1 CHECKSUM", then one "KEY KERNEL NANOSECONDS"
// for each entry. Numbers in it say nothing about its own size, and the names of kernels are
// only compared with ours.
#define _POSIX_C_SOURCE 200809L

#include "delegate/tuning_cache.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char kHead[] = "keras_prune tuning 1 ";
enum { kHex = 16, kMostBytes = kSpkTuningEntries * 128 };
enum { kHeader = sizeof(kHead) - 1 + kHex + 1 };
static const double kLongest = 1e13;  // nanoseconds

const spk_tuning_entry *spk_tuning_find(const spk_tuning_cache *cache, uint64_t key) {
  for (int32_t i = 0; i < cache->count; ++i)
    if (cache->entries[i].key == key) return &cache->entries[i];
  return NULL;
}

void spk_tuning_add(spk_tuning_cache *cache, uint64_t key, const char *kernel,
                    double nanoseconds) {
  if (cache->count == kSpkTuningEntries || strlen(kernel) >= kSpkTuningName ||
      spk_tuning_find(cache, key))
    return;
  if (cache->count == cache->capacity) {
    const int32_t capacity = cache->capacity ? 2 * cache->capacity : 64;
    spk_tuning_entry *more = realloc(cache->entries, sizeof(*more) * (size_t)capacity);
    if (!more) return;
    cache->entries = more;
    cache->capacity = capacity;
  }
  spk_tuning_entry *entry = &cache->entries[cache->count++];
  *entry = (spk_tuning_entry){.key = key, .nanoseconds = nanoseconds};
  strcpy(entry->kernel, kernel);
  cache->is_changed = true;
}

void spk_tuning_clear(spk_tuning_cache *cache) {
  free(cache->entries);
  *cache = (spk_tuning_cache){0};
}

static uint64_t checksum(const char *text, size_t bytes) {  // FNV-1a
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  for (size_t i = 0; i < bytes; ++i) hash = (hash ^ (uint8_t)text[i]) * UINT64_C(0x100000001b3);
  return hash;
}

static bool parse_hex(const char *text, uint64_t *value) {
  *value = 0;
  for (int i = 0; i < kHex; ++i) {
    const char c = text[i];
    if (!((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'))) return false;
    *value = *value * 16 + (uint64_t)(c <= '9' ? c - '0' : c - 'a' + 10);
  }
  return true;
}

// "KEY KERNEL NANOSECONDS", ended by a NUL.
static bool parse_entry(const char *line, spk_tuning_entry *entry) {
  if (strlen(line) < kHex + 4 || !parse_hex(line, &entry->key) || line[kHex] != ' ')
    return false;
  const char *name = line + kHex + 1, *space = strchr(name, ' ');
  const size_t length = space ? (size_t)(space - name) : 0;
  if (length == 0 || length >= kSpkTuningName) return false;
  memcpy(entry->kernel, name, length);
  entry->kernel[length] = 0;
  char *end;
  entry->nanoseconds = strtod(space + 1, &end);
  return end > space + 1 && *end == 0 && entry->nanoseconds > 0 &&
         entry->nanoseconds < kLongest;
}

// Returns NULL or what is wrong. `text` ends with a NUL, and is changed.
static const char *parse(spk_tuning_cache *cache, char *text, size_t bytes) {
  uint64_t sum;
  if (bytes < kHeader || memcmp(text, kHead, sizeof(kHead) - 1) != 0 ||
      !parse_hex(text + sizeof(kHead) - 1, &sum) || text[kHeader - 1] != '\n')
    return "it does not begin as one";
  if (sum != checksum(text + kHeader, bytes - kHeader)) return "its checksum is wrong";
  for (char *line = text + kHeader; line < text + bytes;) {
    char *end = memchr(line, '\n', (size_t)(text + bytes - line));
    spk_tuning_entry entry;
    if (!end) return "its last line is not whole";
    *end = 0;
    if (!parse_entry(line, &entry)) return "it has a line that is no entry";
    spk_tuning_add(cache, entry.key, entry.kernel, entry.nanoseconds);
    line = end + 1;
  }
  return NULL;
}

// The bytes of a regular file that is not too large, with a NUL behind them; NULL and a reason,
// or NULL and none when there is no file.
static char *read_file(const char *path, size_t *bytes, const char **reason) {
  *reason = NULL;
  struct stat about;
  const int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) {
    if (errno != ENOENT) *reason = "it cannot be opened";
    return NULL;
  }
  char *text = NULL;
  size_t size = 0;
  if (fstat(file, &about) != 0 || !S_ISREG(about.st_mode) || about.st_size > kMostBytes)
    *reason = "it is not a file of its size";
  else
    text = malloc((size_t)about.st_size + 1);
  while (text && size < (size_t)about.st_size) {
    const ssize_t got = read(file, text + size, (size_t)about.st_size - size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    size += (size_t)got;
  }
  close(file);
  if (text) text[size] = 0;
  *bytes = size;
  return text;
}

void spk_tuning_read(spk_tuning_cache *cache, const char *path) {
  const bool was_changed = cache->is_changed;
  const char *reason;
  size_t bytes;
  char *text = read_file(path, &bytes, &reason);
  spk_tuning_cache found = {0};
  if (text) reason = parse(&found, text, bytes);
  for (int32_t i = 0; !reason && i < found.count; ++i)
    spk_tuning_add(cache, found.entries[i].key, found.entries[i].kernel,
                   found.entries[i].nanoseconds);
  if (reason)
    fprintf(stderr, "keras_prune: the tuning cache %s is damaged and was ignored: %s.\n", path,
            reason);
  spk_tuning_clear(&found);
  free(text);
  cache->is_changed = was_changed;
}

static size_t print_entries(const spk_tuning_cache *cache, char *text, size_t space) {
  size_t used = kHeader;
  for (int32_t i = 0; i < cache->count; ++i) {
    const spk_tuning_entry *entry = &cache->entries[i];
    used += (size_t)snprintf(text + used, space - used, "%016" PRIx64 " %s %.1f\n", entry->key,
                             entry->kernel, entry->nanoseconds);
  }
  char head[kHeader + 1];
  snprintf(head, sizeof(head), "%s%016" PRIx64 "\n", kHead,
           checksum(text + kHeader, used - kHeader));
  memcpy(text, head, kHeader);
  return used;
}

static bool write_all(int file, const char *text, size_t bytes) {
  while (bytes > 0) {
    const ssize_t done = write(file, text, bytes);
    if (done < 0 && errno == EINTR) continue;
    if (done <= 0) return false;
    text += done;
    bytes -= (size_t)done;
  }
  return true;
}

// A name of its own beside the file, then one rename: readers see the old file or the new one.
static bool replace_file(const char *path, const char *text, size_t bytes) {
  const size_t length = strlen(path);
  char *temporary = malloc(length + 8);
  if (!temporary) return false;
  memcpy(temporary, path, length);
  strcpy(temporary + length, ".XXXXXX");
  const int file = mkstemp(temporary);
  bool done = file >= 0 && write_all(file, text, bytes) && fsync(file) == 0;
  if (file >= 0 && close(file) != 0) done = false;
  if (done) done = rename(temporary, path) == 0;
  if (!done && file >= 0) unlink(temporary);
  free(temporary);
  return done;
}

void spk_tuning_write(spk_tuning_cache *cache, const char *path) {
  spk_tuning_read(cache, path);  // what other processes have found out meanwhile
  const size_t space = kHeader + (size_t)cache->count * 128 + 1;
  char *text = malloc(space);
  if (!text || !replace_file(path, text, print_entries(cache, text, space)))
    fprintf(stderr, "keras_prune: the tuning cache %s could not be written.\n", path);
  free(text);
  cache->is_changed = false;
}
