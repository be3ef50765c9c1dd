// Measured choices: they are fitting kernels, they last in a file, and no file can mislead.
#define _POSIX_C_SOURCE 200809L

#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "delegate/cost_rule.h"
#include "delegate/machine_speed.h"
#include "delegate/tuner.h"
#include "delegate/tuning_cache.h"
#include "tests/test.h"

static char path[64];

static spk_layer make_layer(spk_op op, spk_dtype dtype, int32_t size) {
  return (spk_layer){.op = op,
                     .dtype = dtype,
                     .window = {.batch = 1,
                                .in_h = size,
                                .in_w = size,
                                .in_c = 32,
                                .out_h = size,
                                .out_w = size,
                                .out_c = 48,
                                .kernel_h = 1,
                                .kernel_w = 1,
                                .stride_h = 1,
                                .stride_w = 1,
                                .dilation_h = 1,
                                .dilation_w = 1}};
}

static int32_t words[48 * 32];  // weights of either type, nearly all zero

static spk_choice choose(spk_tuner *tuner, spk_op op, spk_dtype dtype) {
  const spk_layer layer = make_layer(op, dtype, op == SPK_CONV_2D ? 9 : 1);
  return spk_tuner_choose(tuner, &layer, words);
}

static void test_choices(void) {
  spk_tuner *tuner = spk_tuner_create(path);
  for (int op = SPK_FULLY_CONNECTED; op <= SPK_CONV_2D; ++op) {
    for (int dtype = SPK_F32; dtype <= SPK_S8; ++dtype) {
      const spk_choice rule = choose(NULL, (spk_op)op, (spk_dtype)dtype);
      const spk_choice first = choose(tuner, (spk_op)op, (spk_dtype)dtype);
      const spk_choice again = choose(tuner, (spk_op)op, (spk_dtype)dtype);
      EXPECT(!rule.is_measured, "%s", rule.kernel->name);
      EXPECT(first.kernel->op == (spk_op)op && first.kernel->dtype == (spk_dtype)dtype &&
                 first.kernel->available(),
             "%s", first.kernel->name);
      EXPECT(first.nanoseconds > 0 && first.stock > 0, "%g, %g", first.nanoseconds,
             first.stock);
      EXPECT(first.kernel == again.kernel && first.nanoseconds == again.nanoseconds,
             "%s is measured twice", first.kernel->name);
      const spk_layer layer = make_layer((spk_op)op, (spk_dtype)dtype, 9);
      EXPECT(spk_machine_factor(&layer) > 0.2 && spk_machine_factor(&layer) < 10, "%g",
             spk_machine_factor(&layer));
    }
  }
  const spk_choice known = choose(tuner, SPK_CONV_2D, SPK_F32);
  EXPECT(known.is_measured, "%s", known.kernel->name);
  spk_tuner_destroy(tuner);

  tuner = spk_tuner_create(path);  // from the file
  const spk_choice read = choose(tuner, SPK_CONV_2D, SPK_F32);
  EXPECT(read.kernel == known.kernel && read.is_measured, "%s", read.kernel->name);
  EXPECT(
      read.nanoseconds - known.nanoseconds < 0.1 && known.nanoseconds - read.nanoseconds < 0.1,
      "%g read, %g written", read.nanoseconds, known.nanoseconds);
  spk_tuner_destroy(tuner);
}

static char text[1 << 20];

static size_t load(void) {
  FILE *file = fopen(path, "rb");
  const size_t size = file ? fread(text, 1, sizeof(text), file) : 0;
  if (file) fclose(file);
  return size;
}

static void store(const char *content, size_t size) {
  FILE *file = fopen(path, "wb");
  if (fwrite(content, 1, size, file) != size) abort();
  fclose(file);
}

static int32_t count_entries(void) {
  spk_tuning_cache cache = {0};
  spk_tuning_read(&cache, path);
  const int32_t count = cache.count;
  for (int32_t i = 0; i < count; ++i)
    EXPECT(cache.entries[i].nanoseconds > 0 && *cache.entries[i].kernel, "entry %d", i);
  EXPECT(!cache.is_changed, "reading changes nothing");
  spk_tuning_clear(&cache);
  return count;
}

// Of a damaged file nothing is taken.
static void test_damage(void) {
  const size_t size = load();
  const int32_t whole = count_entries();
  char *good = spk_test_buffer(size);
  memcpy(good, text, size);
  EXPECT(whole > 0, "%d entries", whole);
  for (size_t at = 0; at < size; ++at) {
    char *bad = spk_test_buffer(size);
    memcpy(bad, good, size);
    bad[at] = (char)(bad[at] ^ (1 << spk_random_int(0, 7)));
    store(bad, size);
    EXPECT(count_entries() == 0, "byte %zu", at);
    store(good, at);
    EXPECT(count_entries() == 0, "cut at %zu", at);
    free(bad);
  }
  store(good, size);
  EXPECT(count_entries() == whole, "%d entries", whole);
  free(good);
}

static uint64_t checksum_of(const char *from) {
  uint64_t hash = UINT64_C(0xcbf29ce484222325);
  for (; *from; ++from) hash = (hash ^ (uint8_t)*from) * UINT64_C(0x100000001b3);
  return hash;
}

// Files with a true checksum that do not hold what they should.
static void test_hostile(void) {
  static const char *const bodies[] = {
      "0123456789abcdef k 5.0",
      "0123456789abcdef k -5.0\n",
      "0123456789abcdef k nan\n",
      "0123456789abcdef k inf\n",
      "0123456789abcdef k 1e300\n",
      "0123456789abcdef k 5.0x\n",
      "0123456789abcdef  5.0\n",
      "0123456789abcdeg k 5.0\n",
      "0123456789abcdef k\n",
      "0\n",
      "\n",
      ("0123456789abcdef "
       "kkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkkk 5\n"),
  };
  for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); ++i) {
    char file[512];
    const int size = snprintf(file, sizeof(file), "keras_prune tuning 1 %016llx\n%s",
                              (unsigned long long)checksum_of(bodies[i]), bodies[i]);
    store(file, (size_t)size);
    EXPECT(count_entries() == 0, "%s", bodies[i]);
  }
  // A kernel that does not exist, or takes other layers, is not used for any key.
  spk_tuning_cache cache = {0};
  for (uint64_t key = 1; key < 100; ++key)
    spk_tuning_add(&cache, key, key % 2 ? "no_such_kernel" : "spk_conv2d_f32_csr__c", 5);
  spk_tuning_write(&cache, path);
  EXPECT(count_entries() == 99, "%d", count_entries());
  spk_tuning_clear(&cache);
  unlink(path);
  mkdir(path, 0700);
  EXPECT(count_entries() == 0, "a folder");
  rmdir(path);
  mkfifo(path, 0600);
  EXPECT(count_entries() == 0, "a pipe");
  unlink(path);
}

// Every one adds its own entry again and again; the file is whole at every moment.
static void *write_often(void *argument) {
  spk_tuning_cache cache = {0};
  for (uint64_t i = 0; i < 20; ++i) {
    spk_tuning_add(&cache, (uint64_t)(uintptr_t)argument * 1000 + i, "kernel", 1);
    spk_tuning_write(&cache, path);
  }
  spk_tuning_clear(&cache);
  return NULL;
}

static void test_writers(void) {
  pthread_t threads[4];
  pid_t child = fork();
  if (child == 0) {
    for (uintptr_t i = 0; i < 4; ++i) write_often((void *)(10 + i));
    _exit(0);
  }
  for (uintptr_t i = 0; i < 4; ++i)
    pthread_create(&threads[i], NULL, write_often, (void *)(1 + i));
  while (waitpid(child, NULL, WNOHANG) == 0) {
    const size_t size = load();
    EXPECT(size == 0 || (size > 21 && text[size - 1] == '\n'), "%zu bytes", size);
  }
  for (int i = 0; i < 4; ++i) pthread_join(threads[i], NULL);
  EXPECT(count_entries() >= 20, "%d", count_entries());  // the last one's, at least
  unlink(path);
}

int main(void) {
  snprintf(path, sizeof(path), "/tmp/spk_tuning_%d", (int)getpid());
  words[7] = 0x3f800000;
  test_choices();
  if (!freopen("/dev/null", "w", stderr)) return 1;
  test_damage();
  test_hostile();
  test_writers();
  return spk_test_result();
}
