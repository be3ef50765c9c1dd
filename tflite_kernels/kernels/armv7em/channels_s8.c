// Output channels as the assembly routines read them (see spk/armv7em.h).
#include "spk/armv7em.h"

#if SPK_ARMV7EM

enum { MOST_RIGHT = 22 };  // so that the offset shifted left stays below 2^29

// May any channel be read so? `terms` products make a sum.
static int suits(const spk_requant *q, int32_t terms) {
  return !q->round_once && q->act_min == -128 && q->act_max == 127 && terms <= 16384;
}

// Does this channel give 0, whatever its inputs, because it is shifted so far?
static int vanishes(int32_t bias, int32_t terms) {
  const int32_t half = 1 << MOST_RIGHT;  // of the last bit that is left
  return terms < half / (2 * 255 * 128) && bias > -half / 2 && bias < half / 2;
}

// What the rows of a convolution read besides. Of the shifts with instructions of their own,
// `quick` can be taken: all or none.
SPK_INLINE void finish(int32_t bias, uint32_t quick, int is_last, spk_channel *channel) {
  const uint32_t shift = (uint32_t)channel->right - SPK_FIRST_SHIFT;
  const uint32_t before = shift < quick ? shift : SPK_LAST_SHIFT + 1 - SPK_FIRST_SHIFT;
  channel->low = (bias - SPK_NARROW_EMPTY) * (1 << 9);
  channel->low_offset = (int32_t)(((uint32_t)channel->offset << 8) + (1 << 7));
  channel->path = (int32_t)(2 * SPK_SHIFT_BYTES * before) + is_last;
}

void spk_channels_armv7em(const spk_requant *q, const int32_t *bias, int32_t channels,
                          int32_t terms, int32_t most_bias, spk_channel *out) {
  // No bias is below nothing.
  const uint32_t biases = suits(q, terms) ? 2 * (uint32_t)most_bias : 0;
  const uint32_t quick = q->output_offset == -128 ? SPK_LAST_SHIFT + 1 - SPK_FIRST_SHIFT : 0;
  const int32_t offset = 2 * q->output_offset + 1;
  int32_t alike = 0;
  int is_last = 1;  // of channels alike
  for (int32_t c = channels - 1; c >= 0; --c) {
    spk_channel *const channel = &out[c];
    const int32_t own = bias != NULL ? bias[c] : 0;
    int32_t right = -q->shift[c], multiplier = q->multiplier[c];
    int common = right > 0 && (uint32_t)own + (uint32_t)most_bias < biases;
    if (common && right > MOST_RIGHT) {
      common = vanishes(own, terms);
      right = MOST_RIGHT;
      multiplier = 0;
    }
    if (!common) {
      channel->alike = alike = 0;
      is_last = 1;
      continue;
    }
    channel->high = 2 * own;
    channel->multiplier = multiplier;
    channel->offset = offset * (1 << (right - 1));
    channel->right = right;
    channel->alike = ++alike;
    if (most_bias == SPK_NARROW_EMPTY) finish(own, quick, is_last, channel);
    is_last = 0;
  }
}

#endif
