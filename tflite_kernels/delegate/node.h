// A claimed node at run time: its registration, and the state that all nodes of a delegate
// share.
#ifndef SPK_DELEGATE_NODE_H_
#define SPK_DELEGATE_NODE_H_

#include <pthread.h>

#include "delegate/claim.h"
#include "delegate/options.h"
#include "delegate/thread_pool.h"
#include "delegate/tuner.h"

typedef struct spk_delegate {
  TfLiteDelegate base;  // first: the interpreter sees this part
  spk_options options;
  spk_thread_pool *pool;
  spk_tuner *tuner;                     // NULL: the cost rule decides
  pthread_mutex_t claiming;             // interpreters may be built side by side
  const spk_claim *being_claimed;       // handed from the partitioner to init
  int being_taken;                      // the same for a custom operator: its node, or -1
  const struct spk_link *being_linked;  // the same for a chain: its links
  int32_t being_linked_count;
} spk_delegate;

TfLiteRegistration spk_node_registration(void);

#endif  // SPK_DELEGATE_NODE_H_
