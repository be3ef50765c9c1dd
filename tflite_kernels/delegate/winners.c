#include "delegate/winners.h"

#include <stdlib.h>
#include <string.h>

#include "delegate/node.h"

static const char kName[] = "KerasPruneWinnerTakeAll";
enum { kVersion = 1, kWords = 7, kLevels = 256 };

typedef struct winners_state {
  spk_winners winners;  // points into `options`
  void *options, *scratch;
  int input, output;
} winners_state;

static int places_fit(const spk_winners *p) {
  const int64_t period = (int64_t)p->groups * p->run, size = p->outer * period;
  for (int32_t i = 0; i < p->candidates; ++i) {
    if (p->places[i] < 0 || p->places[i] >= size || p->places[i] % period >= p->run) return 0;
  }
  return 1;
}

static int is_rising(const uint8_t *levels) {
  for (int i = 1; i < kLevels; ++i)
    if (levels[i] < levels[i - 1]) return 0;
  return 1;
}

// int32: version, outer, groups, run, count, candidates, bytes of the levels; then places; then
// levels.
int spk_read_winners(const void *data, size_t bytes, spk_winners *p) {
  int32_t words[kWords];
  if (data == NULL || bytes < sizeof(words)) return 0;
  memcpy(words, data, sizeof(words));
  *p = (spk_winners){.outer = words[1],
                     .groups = words[2],
                     .run = words[3],
                     .count = words[4],
                     .candidates = words[5]};
  if (words[0] != kVersion || p->outer < 1 || p->groups < 1 || p->run < 1) return 0;
  const int64_t of_group = (int64_t)p->outer * p->run;
  if (of_group > INT32_MAX || of_group * p->groups > INT32_MAX) return 0;
  if (p->candidates < 0 || p->candidates > of_group || (words[6] && words[6] != kLevels))
    return 0;
  if (p->count < 0 || p->count >= (p->candidates ? p->candidates : of_group)) return 0;
  const size_t places = (size_t)p->candidates * sizeof(int32_t);
  if (bytes != sizeof(words) + places + (size_t)words[6]) return 0;
  const uint8_t *rest = (const uint8_t *)data + sizeof(words);
  if (p->candidates) p->places = (const int32_t *)(const void *)rest;
  if (words[6]) {
    p->levels = rest + places;
    p->is_rising = is_rising(p->levels);
  }
  return places_fit(p);
}

// Options in a file need not be aligned: the state has its own copy.
static winners_state *state_of(const TfLiteNode *node) {
  winners_state *state = calloc(1, sizeof(*state));
  const size_t bytes =
      node->custom_initial_data_size > 0 ? (size_t)node->custom_initial_data_size : 0;
  if (state) state->options = malloc(bytes + 1);
  if (!state || !state->options) {
    free(state);
    return NULL;
  }
  state->input = node->inputs->data[0];
  state->output = node->outputs->data[0];
  if (bytes) memcpy(state->options, node->custom_initial_data, bytes);
  if (!spk_read_winners(state->options, bytes, &state->winners)) {
    free(state->options);
    state->options = NULL;
    return state;
  }
  const size_t scratch = spk_winner_take_all_f32__c_scratch(&state->winners);
  state->scratch = malloc(scratch > SPK_WINNERS_S8_SCRATCH ? scratch : SPK_WINNERS_S8_SCRATCH);
  return state;
}

static void winners_free(TfLiteContext *context, void *buffer) {
  (void)context;
  winners_state *state = buffer;
  if (!state) return;
  free(state->options);
  free(state->scratch);
  free(state);
}

static void *winners_init(TfLiteContext *context, const char *buffer, size_t length) {
  (void)length;
  const TfLiteDelegateParams *params = (const void *)buffer;
  const spk_delegate *delegate = (const spk_delegate *)params->delegate;
  TfLiteNode *node;
  TfLiteRegistration *registration;
  if (delegate->being_taken < 0 ||
      context->GetNodeAndRegistration(context, delegate->being_taken, &node, &registration) !=
          kTfLiteOk)
    return NULL;
  return state_of(node);
}

static const char *check_tensors(const spk_winners *p, const TfLiteTensor *input,
                                 const TfLiteTensor *output) {
  int64_t elements = 1;
  for (int i = 0; i < input->dims->size; ++i) {
    if (input->dims->data[i] < 1) return "the shape of its input is not known";
    elements *= input->dims->data[i];
    if (elements > INT32_MAX) return "its input is too large";
  }
  if (elements % ((int64_t)p->outer * p->groups * p->run) != 0)
    return "its input does not fit its options";
  if (input->type != output->type) return "its output has another type than its input";
  if (input->type == kTfLiteFloat32) return NULL;
  if (input->type != kTfLiteInt8) return "only float32 and int8 are supported";
  if (input->params.scale != output->params.scale ||
      input->params.zero_point != output->params.zero_point ||
      input->params.zero_point < -128 || input->params.zero_point > 127)
    return "its output needs the scale and the zero point of its input";
  return NULL;
}

static TfLiteStatus winners_prepare(TfLiteContext *context, TfLiteNode *node) {
  winners_state *state = node->user_data;
  const char *reason = state == NULL            ? "memory is short"
                       : state->options == NULL ? "its options are not valid"
                       : state->scratch == NULL ? "memory is short"
                                                : NULL;
  if (!reason) {
    const TfLiteTensor *input = &context->tensors[state->input];
    reason = check_tensors(&state->winners, input, &context->tensors[state->output]);
    state->winners.zero_point = input->params.zero_point;
  }
  if (reason) {
    context->ReportError(context, "keras_prune delegate: %s failed to prepare: %s.", kName,
                         reason);
    return kTfLiteError;
  }
  const TfLiteIntArray *shape = context->tensors[state->input].dims;
  const size_t bytes = sizeof(int) * ((size_t)shape->size + 1);
  TfLiteIntArray *copy = malloc(bytes);
  if (!copy) return kTfLiteError;
  memcpy(copy, shape, bytes);
  return context->ResizeTensor(context, &context->tensors[state->output], copy);
}

static TfLiteStatus winners_invoke(TfLiteContext *context, TfLiteNode *node) {
  const winners_state *state = node->user_data;
  const spk_winners *p = &state->winners;
  const TfLiteTensor *input = &context->tensors[state->input];
  void *output = context->tensors[state->output].data;
  const size_t sample = (size_t)p->outer * (size_t)p->groups * (size_t)p->run;
  if (input->type == kTfLiteFloat32) {
    for (size_t at = 0; at < input->bytes / sizeof(float); at += sample)
      spk_winner_take_all_f32__c(p, (const float *)input->data + at, (float *)output + at,
                                 state->scratch);
  } else {
    for (size_t at = 0; at < input->bytes; at += sample)
      spk_winner_take_all_s8__c(p, (const int8_t *)input->data + at, (int8_t *)output + at,
                                state->scratch);
  }
  return kTfLiteOk;
}

static const char *winners_profiling_string(const TfLiteContext *context,
                                            const TfLiteNode *node) {
  const winners_state *state = node->user_data;
  if (!state) return NULL;
  return context->tensors[state->input].type == kTfLiteFloat32 ? "spk_winner_take_all_f32__c"
                                                               : "spk_winner_take_all_s8__c";
}

bool spk_is_winners_node(TfLiteContext *context, int index, const char **reason) {
  TfLiteNode *node;
  TfLiteRegistration *registration;
  if (context->GetNodeAndRegistration(context, index, &node, &registration) != kTfLiteOk ||
      !node || !registration || !registration->custom_name ||
      strcmp(registration->custom_name, kName) != 0)
    return false;
  *reason = NULL;
  if (node->delegate) *reason = "another delegate has it";
  if (node->inputs->size != 1 || node->outputs->size != 1)
    *reason = "its number of inputs or outputs is unusual";
  return true;
}

TfLiteStatus spk_claim_winners(TfLiteContext *context, TfLiteDelegate *base, int index) {
  spk_delegate *delegate = (spk_delegate *)base;
  const struct {
    int size, data[1];
  } nodes = {1, {index}};
  const TfLiteRegistration registration = {
      .init = winners_init,
      .free = winners_free,
      .prepare = winners_prepare,
      .invoke = winners_invoke,
      .profiling_string = winners_profiling_string,
      .custom_name = "KerasPruneDelegate",
      .version = 1,
  };
  delegate->being_taken = index;
  const TfLiteStatus status = context->ReplaceNodeSubsetsWithDelegateKernels(
      context, registration, (const TfLiteIntArray *)(const void *)&nodes, base);
  delegate->being_taken = -1;
  return status;
}
