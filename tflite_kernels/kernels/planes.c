// The layout of planes (kernels/x86/planes.h), and which kernels there are for them.
#include "kernels/x86/planes.h"

#if defined(__x86_64__)
#include "kernels/x86/kernels_x86.h"
#endif

int spk_planes_lay_out(spk_planes *p) {
  enum { kLine = kSpkPlanesVector };
  const int64_t pitch = (int64_t)p->width + p->gap;
  const int64_t origin = (p->top * pitch + p->gap + kLine - 1) / kLine * kLine;
  // Behind the last row there is one vector that tiles may write or read too much, and another
  // that is read with it to find the windows' next column; with stride 2 twice as many.
  const int64_t slack = 2 * kLine * (p->stride > 1 ? 2 : 1);
  const int64_t used = origin + (p->height + (int64_t)p->bottom) * pitch + p->gap + slack;
  const int64_t plane = ((used + kLine - 1) / kLine | 1) * kLine;
  if (plane > INT32_MAX / 4) return 0;
  p->pitch = (int32_t)pitch;
  p->origin = (int32_t)origin;
  p->plane = (int32_t)plane;
  return 1;
}

const spk_planes_kernels *spk_planes_kernels_here(spk_dtype dtype) {
#if defined(__x86_64__)
  if (dtype == SPK_S8)
    return spk_has_avx512vbmi()   ? &spk_planes_s8_avx512vbmi
           : spk_has_avx512vnni() ? &spk_planes_s8_avx512vnni
           : spk_has_avxvnni()    ? &spk_planes_s8_avxvnni
           : spk_has_avx2()       ? &spk_planes_s8_avx2
                                  : NULL;
  if (spk_has_avx512()) return &spk_planes_f32_avx512;
  if (spk_has_avx2()) return &spk_planes_f32_avx2;
#endif
  (void)dtype;
  return NULL;
}

int spk_has_chains(void) { return spk_planes_kernels_here(SPK_F32) != NULL; }

int spk_has_s8_chains(void) { return spk_planes_kernels_here(SPK_S8) != NULL; }
