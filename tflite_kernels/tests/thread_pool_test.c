// Every unit runs exactly once, whoever runs it, and callers side by side do not mix.
#define _POSIX_C_SOURCE 200809L

#include "delegate/thread_pool.h"

#include <pthread.h>
#include <stdatomic.h>

#include "tests/test.h"

enum { kUnits = 1000 };

typedef struct counters {
  atomic_int runs[kUnits];
} counters;

static void count_units(void *context, void *scratch, int32_t begin, int32_t end) {
  counters *c = context;
  ++*(int32_t *)scratch;  // a race if two threads shared their scratch
  for (int32_t i = begin; i < end; ++i) atomic_fetch_add(&c->runs[i], 1);
}

static void run_and_check(spk_thread_pool *pool, int32_t units, int32_t threads) {
  counters *c = calloc(1, sizeof(*c));
  uint8_t *scratch = calloc(64, 64);
  const spk_job job = {
      .run = count_units, .context = c, .scratch = scratch, .stride = 64, .units = units};
  spk_thread_pool_run(pool, &job, threads);
  for (int32_t i = 0; i < kUnits; ++i)
    EXPECT(atomic_load(&c->runs[i]) == (i < units), "unit %d of %d ran %d times", i, units,
           atomic_load(&c->runs[i]));
  free(c);
  free(scratch);
}

static void *caller(void *pool) {
  for (int i = 0; i < 300; ++i) run_and_check(pool, 1 + i, 3);
  return NULL;
}

int main(void) {
  spk_thread_pool *pool = spk_thread_pool_create();
  for (int32_t threads = 1; threads <= 8; ++threads)
    for (int i = 0; i < 100; ++i) run_and_check(pool, spk_random_int(1, kUnits), threads);
  pthread_t others[3];
  for (int i = 0; i < 3; ++i) pthread_create(&others[i], NULL, caller, pool);
  for (int i = 0; i < 3; ++i) pthread_join(others[i], NULL);
  spk_thread_pool_destroy(pool);
  spk_thread_pool_destroy(spk_thread_pool_create());  // no thread was ever started
  spk_thread_pool_destroy(NULL);
  return spk_test_result();
}
