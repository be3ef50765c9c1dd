#include "delegate/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool parse_num_threads(const char *text, spk_options *options) {
  char *end;
  errno = 0;
  const long value = strtol(text, &end, 10);
  if (end == text || *end || errno || value < 1 || value > 64) return false;
  options->num_threads = (int)value;
  return true;
}

static bool parse_min_sparsity(const char *text, spk_options *options) {
  char *end;
  const double value = strtod(text, &end);
  if (end == text || *end || !(value >= 0.0 && value <= 1.0)) return false;
  options->min_sparsity = value;
  return true;
}

static bool parse_bool(const char *text, bool *value) {
  *value = strcmp(text, "true") == 0;
  return *value || strcmp(text, "false") == 0;
}

static bool parse_verbose(const char *text, spk_options *options) {
  return parse_bool(text, &options->verbose);
}

static bool parse_tuning(const char *text, spk_options *options) {
  return parse_bool(text, &options->tuning);
}

static bool parse_tuning_cache(const char *text, spk_options *options) {
  const size_t length = strlen(text);
  if (length == 0 || length >= kSpkMostPath - 8) return false;
  memcpy(options->tuning_cache, text, length + 1);
  return true;
}

static bool parse_chains(const char *text, spk_options *options) {
  static const char *const values[] = {"auto", "off", "always"};
  for (int i = 0; i < 3; ++i) {
    if (strcmp(text, values[i]) != 0) continue;
    options->chains = (spk_chains)i;
    return true;
  }
  return false;
}

static const struct {
  const char *name, *expected;
  bool (*parse)(const char *text, spk_options *options);
} kOptions[] = {
    {"num_threads", "an integer from 1 to 64", parse_num_threads},
    {"min_sparsity", "a number from 0 to 1", parse_min_sparsity},
    {"verbose", "true or false", parse_verbose},
    {"chains", "auto, off or always", parse_chains},
    {"tuning", "true or false", parse_tuning},
    {"tuning_cache", "the path of a file", parse_tuning_cache},
};

static bool parse_one(const char *name, const char *value, spk_options *options, char *error,
                      size_t error_size) {
  for (size_t i = 0; i < sizeof(kOptions) / sizeof(kOptions[0]); ++i) {
    if (strcmp(name, kOptions[i].name) != 0) continue;
    if (kOptions[i].parse(value, options)) return true;
    snprintf(error, error_size,
             "Invalid value for delegate option `%s`. Expected %s. Received: %s=%s", name,
             kOptions[i].expected, name, value);
    return false;
  }
  snprintf(error, error_size,
           "Unknown delegate option `%s`. Expected one of num_threads, min_sparsity, verbose, "
           "chains, tuning, tuning_cache. Received: %s=%s",
           name, name, value);
  return false;
}

bool spk_parse_options(const char *const *names, const char *const *values, size_t count,
                       spk_options *options, char *error, size_t error_size) {
  bool tuning_is_given = false;
  *options = (spk_options){.num_threads = 0, .min_sparsity = -1.0};
  for (size_t i = 0; i < count; ++i) {
    const char *name = names && names[i] ? names[i] : "";
    const char *value = values && values[i] ? values[i] : "";
    if (!parse_one(name, value, options, error, error_size)) return false;
    if (strcmp(name, "tuning") == 0) tuning_is_given = true;
  }
  if (!tuning_is_given && *options->tuning_cache) options->tuning = true;
  return true;
}
