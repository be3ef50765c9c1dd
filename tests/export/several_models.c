// Two models in one program. The exit code names the first check that fails.
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "first.h"
#include "second.h"

enum { kThreads = 4, kRepeats = 20 };

typedef struct job {
  const int8_t *image;
  first_arena first;
  second_arena second;
  int failed;
} job;

static job jobs[kThreads];

static void *work(void *argument) {
  job *const j = argument;
  int8_t first[FIRST_OUTPUT_0_SIZE], second[SECOND_OUTPUT_0_SIZE];
  for (int i = 0; i < kRepeats; ++i) {
    memcpy(FIRST_INPUT_0(&j->first), j->image, FIRST_INPUT_0_SIZE);
    memcpy(SECOND_INPUT_0(&j->second), j->image, SECOND_INPUT_0_SIZE);
    j->failed |= first_invoke(&j->first, sizeof j->first);
    j->failed |= second_invoke(&j->second, sizeof j->second);
    if (i == 0) memcpy(first, FIRST_OUTPUT_0(&j->first), sizeof first);
    if (i == 0) memcpy(second, SECOND_OUTPUT_0(&j->second), sizeof second);
    j->failed |= memcmp(first, FIRST_OUTPUT_0(&j->first), sizeof first) != 0;
    j->failed |= memcmp(second, SECOND_OUTPUT_0(&j->second), sizeof second) != 0;
  }
  return NULL;
}

// A bad arena gives the error code and stays as it was.
static int bad_arenas_are_refused(void) {
  static first_arena arena, before;
  memset(&arena, 77, sizeof arena);
  before = arena;
  int refused = first_init(NULL, sizeof arena) == FIRST_ERROR_ARENA;
  refused &= first_init(&arena, FIRST_ARENA_BYTES - 1) == FIRST_ERROR_ARENA;
  refused &= first_init(arena.bytes + 8, sizeof arena) == FIRST_ERROR_ARENA;
  refused &= first_invoke(NULL, sizeof arena) == FIRST_ERROR_ARENA;
  refused &= first_invoke(&arena, FIRST_ARENA_BYTES - 1) == FIRST_ERROR_ARENA;
  refused &= first_invoke(arena.bytes + 8, sizeof arena) == FIRST_ERROR_ARENA;
  refused &= first_input(NULL, 0) == NULL && first_output(NULL, 0) == NULL;
  refused &= first_input(&arena, -1) == NULL && first_input(&arena, FIRST_INPUT_COUNT) == NULL;
  refused &=
      first_output(&arena, -1) == NULL && first_output(&arena, FIRST_OUTPUT_COUNT) == NULL;
  return refused && memcmp(&arena, &before, sizeof arena) == 0;
}

// Reads one image a thread, runs all threads at once and writes both outputs of each.
int main(void) {
  static int8_t images[kThreads][FIRST_INPUT_0_SIZE];
  pthread_t threads[kThreads];
  if (!bad_arenas_are_refused()) return 1;
  if (fread(images, sizeof images[0], kThreads, stdin) != kThreads) return 2;
  for (int i = 0; i < kThreads; ++i) {
    jobs[i].image = images[i];
    if (first_init(&jobs[i].first, sizeof jobs[i].first) != FIRST_OK) return 3;
    if (second_init(&jobs[i].second, sizeof jobs[i].second) != SECOND_OK) return 4;
    if (pthread_create(&threads[i], NULL, work, &jobs[i]) != 0) return 5;
  }
  for (int i = 0; i < kThreads; ++i) {
    pthread_join(threads[i], NULL);
    if (jobs[i].failed) return 6;
    fwrite(FIRST_OUTPUT_0(&jobs[i].first), 1, FIRST_OUTPUT_0_SIZE, stdout);
    fwrite(SECOND_OUTPUT_0(&jobs[i].second), 1, SECOND_OUTPUT_0_SIZE, stdout);
  }
  return 0;
}
