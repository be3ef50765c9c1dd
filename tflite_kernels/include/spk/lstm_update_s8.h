// The end of an LSTM step: gates, cell state and hidden state.
#ifndef SPK_LSTM_UPDATE_S8_H_
#define SPK_LSTM_UPDATE_S8_H_

#include "spk/fixed_point_s16.h"
#include "spk/kernels_s8.h"

SPK_NOINLINE void spk_sigmoids_s16(int16_t *x, int32_t count) {
  for (int32_t i = 0; i < count; ++i) x[i] = spk_sigmoid_s16(x[i]);
}

SPK_NOINLINE void spk_tanhs_s16(const int16_t *x, int32_t count, int32_t integer_bits,
                                int16_t *output) {
  for (int32_t i = 0; i < count; ++i) output[i] = spk_tanh_s16(x[i], integer_bits);
}

// `gates` are the sums (4, units) in Q3.12: input, forget, cell, output. They are overwritten.
static inline void spk_lstm_update_s8(const spk_lstm *p, int16_t *gates, int8_t *hidden,
                                      int16_t *cell) {
  const int32_t units = p->units, clip = p->cell_clip;
  int16_t *const in = gates, *const forget = in + units;
  int16_t *const candidate = forget + units, *const out = candidate + units;
  spk_sigmoids_s16(in, 2 * units);
  spk_tanhs_s16(candidate, units, 3, candidate);
  spk_sigmoids_s16(out, units);
  for (int32_t u = 0; u < units; ++u) {
    const int32_t kept = spk_rounding_shift_right(forget[u] * cell[u], 15);
    const int32_t added = spk_rounding_shift_right(in[u] * candidate[u], 15 + p->cell_bits);
    const int32_t c = spk_saturate_s16(kept + added);
    cell[u] = (int16_t)(clip > 0 ? spk_clamp(c, -clip, clip) : c);
  }
  spk_tanhs_s16(cell, units, p->cell_bits, candidate);
  for (int32_t u = 0; u < units; ++u) {
    const int32_t product = out[u] * candidate[u];
    const int32_t h = spk_multiply(product, p->hidden_multiplier, p->hidden_shift);
    hidden[u] = (int8_t)spk_clamp(h + p->hidden_zero_point, INT8_MIN, INT8_MAX);
  }
}

#endif  // SPK_LSTM_UPDATE_S8_H_
