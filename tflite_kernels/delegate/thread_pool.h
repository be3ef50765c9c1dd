// A small pool of POSIX threads for kernels that are cut into independent units.
#ifndef SPK_DELEGATE_THREAD_POOL_H_
#define SPK_DELEGATE_THREAD_POOL_H_

#include <stddef.h>
#include <stdint.h>

typedef struct spk_thread_pool spk_thread_pool;

// `scratch` of thread i starts at scratch + i * stride.
typedef struct spk_job {
  void (*run)(void *context, void *scratch, int32_t begin, int32_t end);
  void *context;
  uint8_t *scratch;
  size_t stride;
  int32_t units;
} spk_job;

// NULL only when memory is short. No thread is started before a job needs one.
spk_thread_pool *spk_thread_pool_create(void);

// Runs the job on the calling thread and up to `threads` - 1 others, and waits for it. When the
// pool is busy with another caller's job, or no thread can be started, the caller works alone.
void spk_thread_pool_run(spk_thread_pool *pool, const spk_job *job, int32_t threads);

// Joins all threads.
void spk_thread_pool_destroy(spk_thread_pool *pool);

#endif  // SPK_DELEGATE_THREAD_POOL_H_
