// Output channels as the assembly routines read them (see spk/armv7em.h).
#include "spk/armv7em.h"

#if SPK_ARMV7EM

enum { MOST_RIGHT = 22 };  // so that the offset shifted left stays below 2^29

static int is_common(const spk_requant *q, int32_t c, int32_t bias, int32_t terms) {
  return !q->round_once && q->shift[c] < 0 && q->act_min == -128 && q->act_max == 127 &&
         spk_sum_is_small(bias, terms);
}

// Does this channel give 0, whatever its inputs, because it is shifted so far?
static int vanishes(int32_t bias, int32_t terms) {
  const int32_t half = 1 << MOST_RIGHT;  // of the last bit that is left
  return terms < half / (2 * 255 * 128) && bias > -half / 2 && bias < half / 2;
}

void spk_channels_armv7em(const spk_requant *q, const int32_t *bias, int32_t channels,
                          int32_t terms, spk_channel *out) {
  int32_t alike = 0;
  for (int32_t c = channels - 1; c >= 0; --c) {
    const int32_t own = bias != NULL ? bias[c] : 0;
    int32_t right = -q->shift[c], multiplier = q->multiplier[c];
    int common = is_common(q, c, own, terms);
    if (common && right > MOST_RIGHT) {
      common = vanishes(own, terms);
      right = MOST_RIGHT;
      multiplier = 0;
    }
    spk_channel *const channel = &out[c];
    alike = common ? alike + 1 : 0;
    channel->alike = alike;
    if (!common) continue;
    channel->high = 2 * own;
    channel->low = 2 * (own - SPK_LANES_EMPTY);
    channel->multiplier = multiplier;
    channel->offset = q->output_offset * (1 << right) + (1 << (right - 1));
    channel->right = right;
  }
}

#endif
