// XNNPACK's convolutions run at 95 to 98 % of the multiply-adds that a processor can do, on the
// two processors where both were measured. So its time for a convolution follows from the peak
// rate, which takes a fraction of a millisecond to find out.
#include "delegate/machine_speed.h"

#include <math.h>
#include <pthread.h>

#include "delegate/measure.h"
#include "delegate/stock_cost.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static double factors[2] = {1, 1};  // float32, int8

#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels/x86/kernels_x86.h"

static const double kShareOfPeak = 0.97, kLeast = 0.25, kMost = 8;
enum { kSteps = 2000, kTries = 40, kSums = 12 };

// Each probe runs kSteps * kSums instructions that need not wait for each other. They are
// written out, so that no compiler can leave them out or keep the sums in memory.
#define STEP(text, i) __asm__ volatile(text " %1, %1, %0" : "+v"(s##i) : "v"(x));
#define PROBE(name, isa, vector, zero, text)                                                \
  __attribute__((target(isa), noinline)) static void name(void) {                           \
    const vector x = zero;                                                                  \
    vector s0 = x, s1 = x, s2 = x, s3 = x, s4 = x, s5 = x, s6 = x, s7 = x, s8 = x, s9 = x,  \
           s10 = x, s11 = x;                                                                \
    for (int i = 0; i < kSteps; ++i) {                                                      \
      STEP(text, 0)                                                                         \
      STEP(text, 1)                                                                         \
      STEP(text, 2)                                                                         \
      STEP(text, 3)                                                                         \
      STEP(text, 4)                                                                         \
      STEP(text, 5)                                                                         \
      STEP(text, 6) STEP(text, 7) STEP(text, 8) STEP(text, 9) STEP(text, 10) STEP(text, 11) \
    }                                                                                       \
  }
PROBE(fma512, "avx512f", __m512, _mm512_setzero_ps(), "vfmadd231ps")
PROBE(fma256, "avx2,fma", __m256, _mm256_setzero_ps(), "vfmadd231ps")
PROBE(dot512, "avx512f,avx512vnni", __m512i, _mm512_setzero_si512(), "vpdpbusd")

// Nanoseconds of one multiply-add.
static double probe(void (*run)(void), double lanes) {
  double shortest = INFINITY;
  for (int i = 0; i < kTries; ++i) {
    const double begin = spk_now();
    run();
    const double nanoseconds = spk_now() - begin;
    if (nanoseconds < shortest) shortest = nanoseconds;
  }
  return shortest / ((double)kSteps * kSums * lanes);
}

// The same of the fastest multiplications of a type, or 0.
static double multiply_nanoseconds(spk_dtype dtype) {
  if (dtype == SPK_S8) return spk_has_avx512vnni() ? probe(dot512, 64) : 0;
  if (spk_has_avx512()) return probe(fma512, 16);
  return spk_has_avx2() ? probe(fma256, 8) : 0;
}

static double bounded(double factor) {
  return factor < kLeast ? kLeast : factor > kMost ? kMost : factor;
}

static void measure(void) {
  for (int i = 0; i < 2; ++i) {
    const double took = multiply_nanoseconds((spk_dtype)i);
    const double expected = kShareOfPeak * spk_stock_multiply_nanoseconds((spk_dtype)i);
    if (took > 0)
      factors[i] = bounded(took / expected);
    else if (i == SPK_S8)
      factors[i] = factors[SPK_F32];
  }
}
#else
static double multiply_nanoseconds(spk_dtype dtype) {
  (void)dtype;
  return 0;
}

static void measure(void) {}
#endif

double spk_peak_operations(int dtype) {
  const double took =
      dtype == SPK_F32 || dtype == SPK_S8 ? multiply_nanoseconds((spk_dtype)dtype) : 0;
  return took > 0 ? 2e9 / took : 0;
}

// FULLY_CONNECTED waits for its weights rather than for multiplications; caches differ less
// between processors: by 1.2 to 1.6 where the peaks differed by 2.3.
double spk_machine_factor(const spk_layer *layer) {
  pthread_once(&once, measure);
  const double factor = factors[layer->dtype];
  return layer->op == SPK_FULLY_CONNECTED ? cbrt(factor) : factor;
}
