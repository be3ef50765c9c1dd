// Delegates and interpreters come and go: nothing grows, threads do not disturb each other, and
// a forked process goes on.
#define _GNU_SOURCE

#include <malloc.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/random_models.h"

static TfLiteDelegate *make_delegate(const char *threads, const char *chains) {
  const char *const names[] = {"num_threads", "chains", "min_sparsity"};
  const char *const values[] = {threads, chains, "0"};
  TfLiteDelegate *delegate = tflite_plugin_create_delegate(names, values, 3, NULL);
  if (!delegate) abort();
  return delegate;
}

// Three layers that threads share.
static host *make_model(void) {
  const int dims[4] = {1, 24, 24, 32};
  host *h = host_create();
  int x = model_image(h, kTfLiteFloat32, 4, dims);
  x = model_conv2d(h, kTfLiteFloat32, x, 48, 1, 2);
  x = model_conv2d(h, kTfLiteFloat32, x, 32, 3, 0);
  h->output = model_fully_connected(h, kTfLiteFloat32, x, 10, 1);
  return h;
}

static pthread_mutex_t building = PTHREAD_MUTEX_INITIALIZER;  // random numbers have one state

static host *same_model(void) {
  pthread_mutex_lock(&building);
  spk_test_random_state = 7;
  host *h = make_model();
  pthread_mutex_unlock(&building);
  return h;
}

static const float *result_of(const host *h) { return h->tensors[h->output].data; }

static float expected[10];

static int runs_well(TfLiteDelegate *delegate, int times) {
  host *h = same_model();
  int good = delegate->Prepare(&h->context, delegate) == kTfLiteOk;
  for (int i = 0; i < times && good; ++i) {
    good = host_run(h) > 0;
    for (int j = 0; j < 10 && good; ++j) {
      const float gap = result_of(h)[j] - expected[j];
      good = gap < 1e-3f && gap > -1e-3f;
    }
  }
  host_destroy(h);
  return good;
}

__attribute__((unused)) static void test_cycles(void) {
  size_t before = 0;
  for (int i = 0; i < 1000; ++i) {
    TfLiteDelegate *delegate = make_delegate(i % 2 ? "2" : "1", i % 3 ? "always" : "off");
    EXPECT(runs_well(delegate, i % 50 == 0), "cycle %d", i);
    tflite_plugin_destroy_delegate(delegate);
#if defined(__GLIBC__)
    if (i == 299) before = mallinfo2().uordblks;
#endif
  }
#if defined(__GLIBC__)
  // The caches of malloc() still fill a little; 16 bytes a cycle would be more.
  EXPECT(mallinfo2().uordblks < before + 700 * 16, "%zu bytes have become %zu", before,
         mallinfo2().uordblks);
#endif
}

// Interpreters are made, run and dropped side by side, with one delegate for all.
static void *come_and_go(void *delegate) {
  for (int i = 0; i < 20; ++i) EXPECT(runs_well(delegate, 2), "round %d", i);
  return NULL;
}

static void *come_and_go_alone(void *unused) {
  (void)unused;
  for (int i = 0; i < 10; ++i) {
    TfLiteDelegate *delegate = make_delegate("2", "auto");
    EXPECT(runs_well(delegate, 1), "round %d", i);
    tflite_plugin_destroy_delegate(delegate);
  }
  return NULL;
}

static void test_threads(void) {
  TfLiteDelegate *delegate = make_delegate("3", "always");
  pthread_t threads[6];
  for (int i = 0; i < 6; ++i)
    pthread_create(&threads[i], NULL, i < 4 ? come_and_go : come_and_go_alone, delegate);
  for (int i = 0; i < 6; ++i) pthread_join(threads[i], NULL);
  tflite_plugin_destroy_delegate(delegate);
}

// The threads of the pool stay behind.
__attribute__((unused)) static void test_fork(void) {
  TfLiteDelegate *delegate = make_delegate("3", "off");
  EXPECT(runs_well(delegate, 3), "before");
  const pid_t child = fork();
  if (child == 0) {
    alarm(60);
    const int good = runs_well(delegate, 3);
    tflite_plugin_destroy_delegate(delegate);
    _exit(good ? 0 : 1);
  }
  int status = -1;
  waitpid(child, &status, 0);
  EXPECT(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child ended with %d", status);
  EXPECT(runs_well(delegate, 3), "after");
  tflite_plugin_destroy_delegate(delegate);
}

int main(void) {
  TfLiteDelegate *delegate = make_delegate("1", "off");
  host *h = same_model();
  EXPECT(delegate->Prepare(&h->context, delegate) == kTfLiteOk && host_run(h) == 3, "three");
  memcpy(expected, result_of(h), sizeof(expected));
  host_destroy(h);
  tflite_plugin_destroy_delegate(delegate);
#if !defined(__SANITIZE_THREAD__)  // which is slow, and does not follow a fork of threads
  test_cycles();
  test_fork();
#endif
  test_threads();
  return spk_test_result();
}
