#define _POSIX_C_SOURCE 200809L

#include "delegate/thread_pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

// Layers follow each other within microseconds; spinning that long saves the wake-up call.
enum { kMaxThreads = 64, kSpins = 4000, kChunksPerThread = 4 };

struct spk_thread_pool {
  pthread_mutex_t caller;  // held by the thread whose job runs
  pthread_mutex_t mutex;   // guards `wake`
  pthread_cond_t wake;
  pthread_t thread[kMaxThreads];
  struct worker {
    spk_thread_pool *pool;
    int32_t number;  // 1 .. workers; the caller is 0
  } worker[kMaxThreads];
  int32_t workers;     // started so far
  atomic_int process;  // that made the pool, or was forked and renewed it
  // number of the job * 256 + how many workers may join it; 0 of them once it is closed
  atomic_ullong state;
  atomic_int active;  // workers that are in a job, or about to find out that it is closed
  atomic_int next_unit;
  atomic_bool stop;
  spk_job job;
};

static void pause_cpu(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// Takes chunks of units until none is left.
static void work(spk_thread_pool *pool, int32_t number, int32_t threads) {
  const spk_job *job = &pool->job;
  const int32_t chunk = job->units / (threads * kChunksPerThread) + 1;
  uint8_t *scratch = job->scratch ? job->scratch + (size_t)number * job->stride : NULL;
  for (;;) {
    const int32_t begin = atomic_fetch_add(&pool->next_unit, chunk);
    if (begin >= job->units) return;
    const int32_t end = job->units - begin < chunk ? job->units : begin + chunk;
    job->run(job->context, scratch, begin, end);
  }
}

// Returns when the state is no longer `seen`, or the pool stops.
static void wait_for_job(spk_thread_pool *pool, unsigned long long seen) {
  for (int i = 0; i < kSpins; ++i) {
    if (atomic_load(&pool->state) != seen || atomic_load(&pool->stop)) return;
    pause_cpu();
  }
  pthread_mutex_lock(&pool->mutex);
  while (atomic_load(&pool->state) == seen && !atomic_load(&pool->stop))
    pthread_cond_wait(&pool->wake, &pool->mutex);
  pthread_mutex_unlock(&pool->mutex);
}

// A worker joins by raising `active` and looking again whether the job is still open; the
// caller closes the job and then waits for `active` to fall to 0. So nobody waits for a worker
// that wakes up too late, and none reads a job that is being replaced.
static void *worker_main(void *argument) {
  struct worker *self = argument;
  spk_thread_pool *pool = self->pool;
  unsigned long long seen = 0;
  for (;;) {
    wait_for_job(pool, seen);
    if (atomic_load(&pool->stop)) return NULL;
    seen = atomic_load(&pool->state);
    const int32_t helpers = (int32_t)(seen & 255);
    if (self->number > helpers) continue;
    atomic_fetch_add(&pool->active, 1);
    if (atomic_load(&pool->state) == seen) work(pool, self->number, helpers + 1);
    atomic_fetch_sub(&pool->active, 1);
  }
}

spk_thread_pool *spk_thread_pool_create(void) {
  spk_thread_pool *pool = calloc(1, sizeof(*pool));
  if (!pool) return NULL;
  atomic_store(&pool->process, (int)getpid());
  pthread_mutex_init(&pool->caller, NULL);
  pthread_mutex_init(&pool->mutex, NULL);
  pthread_cond_init(&pool->wake, NULL);
  return pool;
}

// A process that was forked has the pool, but not its threads: it starts again without any.
// Locks that other threads held at that moment would stay locked.
static void renew_after_fork(spk_thread_pool *pool) {
  const pid_t process = getpid();
  if (atomic_load(&pool->process) == (int)process) return;
  pthread_mutex_init(&pool->caller, NULL);
  pthread_mutex_init(&pool->mutex, NULL);
  pthread_cond_init(&pool->wake, NULL);
  atomic_store(&pool->active, 0);
  pool->workers = 0;
  atomic_store(&pool->process, (int)process);
}

// Starts workers until there are `count`, or the system refuses one.
static void start_workers(spk_thread_pool *pool, int32_t count) {
  while (pool->workers < count && pool->workers < kMaxThreads) {
    struct worker *worker = &pool->worker[pool->workers];
    *worker = (struct worker){.pool = pool, .number = pool->workers + 1};
    if (pthread_create(&pool->thread[pool->workers], NULL, worker_main, worker) != 0) return;
    ++pool->workers;
  }
}

static void run_together(spk_thread_pool *pool, const spk_job *job, int32_t helpers) {
  const unsigned long long number = atomic_load(&pool->state) / 256 + 1;
  pool->job = *job;
  atomic_store(&pool->next_unit, 0);
  pthread_mutex_lock(&pool->mutex);
  atomic_store(&pool->state, number * 256 + (unsigned)helpers);
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->mutex);
  work(pool, 0, helpers + 1);
  atomic_store(&pool->state, number * 256);
  while (atomic_load(&pool->active) > 0) pause_cpu();
}

void spk_thread_pool_run(spk_thread_pool *pool, const spk_job *job, int32_t threads) {
  int32_t helpers = (threads < job->units ? threads : job->units) - 1;
  if (helpers > 0) renew_after_fork(pool);
  const bool together = helpers > 0 && pthread_mutex_trylock(&pool->caller) == 0;
  if (together) {
    start_workers(pool, helpers);
    if (helpers > pool->workers) helpers = pool->workers;
    if (helpers > 0) run_together(pool, job, helpers);
    pthread_mutex_unlock(&pool->caller);
  }
  if (!together || helpers == 0) job->run(job->context, job->scratch, 0, job->units);
}

void spk_thread_pool_destroy(spk_thread_pool *pool) {
  if (!pool) return;
  renew_after_fork(pool);
  pthread_mutex_lock(&pool->mutex);
  atomic_store(&pool->stop, true);
  pthread_cond_broadcast(&pool->wake);
  pthread_mutex_unlock(&pool->mutex);
  for (int32_t i = 0; i < pool->workers; ++i) pthread_join(pool->thread[i], NULL);
  pthread_cond_destroy(&pool->wake);
  pthread_mutex_destroy(&pool->mutex);
  pthread_mutex_destroy(&pool->caller);
  free(pool);
}
