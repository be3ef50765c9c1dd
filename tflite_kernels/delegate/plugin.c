#include "delegate/plugin.h"

#include <stdlib.h>

#include "delegate/node.h"
#include "delegate/partition.h"

static TfLiteDelegate *refuse(void (*report_error)(const char *), const char *sentence) {
  if (report_error) report_error(sentence);
  return NULL;
}

TfLiteDelegate *tflite_plugin_create_delegate(const char *const *names,
                                              const char *const *values, size_t count,
                                              void (*report_error)(const char *)) {
  char error[512];
  spk_options options;
  if (!spk_parse_options(names, values, count, &options, error, sizeof(error)))
    return refuse(report_error, error);
  spk_delegate *delegate = calloc(1, sizeof(*delegate));
  if (delegate) delegate->pool = spk_thread_pool_create();
  if (delegate && options.tuning) delegate->tuner = spk_tuner_create(options.tuning_cache);
  if (!delegate || !delegate->pool || (options.tuning && !delegate->tuner)) {
    if (delegate) spk_thread_pool_destroy(delegate->pool);
    free(delegate);
    return refuse(report_error, "Memory is too short for a delegate.");
  }
  delegate->options = options;
  delegate->being_taken = -1;
  pthread_mutex_init(&delegate->claiming, NULL);
  delegate->base.Prepare = spk_delegate_prepare;
  delegate->base.flags = kTfLiteDelegateFlagsAllowDynamicTensors;
  return &delegate->base;
}

void tflite_plugin_destroy_delegate(TfLiteDelegate *base) {
  spk_delegate *delegate = (spk_delegate *)base;
  if (!delegate) return;
  spk_thread_pool_destroy(delegate->pool);
  spk_tuner_destroy(delegate->tuner);
  pthread_mutex_destroy(&delegate->claiming);
  free(delegate);
}
