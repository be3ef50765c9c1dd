#include "spk/version.h"

const char *spk_version(void) { return "0.1.0"; }
