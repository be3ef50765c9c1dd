// WinnerTakeAll: of every group of values the largest pass, the others become zero.
#ifndef SPK_WINNERS_H_
#define SPK_WINNERS_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

// Values lie as (outer, groups, run). With theta the (count + 1)-th largest level among the
// candidates of a group:  output = level(x) > theta ? x : zero.
// The level of a float is |x|, that of an int8 is levels[x + 128], or x itself where there are
// no levels.
typedef struct spk_winners {
  int32_t outer, groups, run;
  int32_t count;          // below the number of candidates
  int32_t zero_point;     // int8
  const uint8_t *levels;  // int8: (256,) or NULL
  int32_t is_rising;      // levels never fall from x to x + 1, as where x is never negative
  const int32_t *places;  // (candidates,) of the first group, or NULL: all its values;
  int32_t candidates;     // group g has them g * run further
} spk_winners;

enum { SPK_WINNERS_S8_SCRATCH = 1024 };  // bytes
void spk_winner_take_all_s8__c(const spk_winners *p, const int8_t *input, int8_t *output,
                               void *scratch);
// NaN passes, and counts as larger than all numbers.
void spk_winner_take_all_f32__c(const spk_winners *p, const float *input, float *output,
                                void *scratch);
size_t spk_winner_take_all_f32__c_scratch(const spk_winners *p);

#ifdef __cplusplus
}
#endif
#endif  // SPK_WINNERS_H_
