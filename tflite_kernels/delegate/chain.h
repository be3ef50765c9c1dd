// Neighbouring layers that hand planes to each other: one partition of several nodes.
//
// A chain runs in passes over the pixels. Within a pass a tile of pixels goes through several
// layers before the next one does, so that it stays in the cache: convolutions of one pixel,
// sums and activations. A layer with a larger window needs the tiles around, and so begins a
// new pass; what it reads lies in whole planes. NHWC tensors are converted where they enter or
// leave the chain, and an int8 convolution there may have any window (chain_unroll.h).
#ifndef SPK_DELEGATE_CHAIN_H_
#define SPK_DELEGATE_CHAIN_H_

#include "delegate/link.h"

enum { kSpkMostLinks = 64 };

typedef struct spk_chain spk_chain;

static inline const char *spk_chain_name(spk_dtype dtype) {
  return dtype == SPK_S8 ? "spk_chain_s8" : "spk_chain_f32";
}

// The geometry of one link of a chain, and its weights. `weights` are dense, the bias may be
// NULL. What `requant` points to must live as long as the chain.
typedef struct spk_chain_layer {
  spk_layer layer;
  const void *weights;
} spk_chain_layer;

// A chain of `count` links for these shapes. `leaving` names the `leaving_count` tensors that
// are read outside. NULL with a reason when it cannot be done.
spk_chain *spk_chain_create(const spk_link *links, const spk_chain_layer *layers, int32_t count,
                            const int *leaving, int32_t leaving_count, const char **reason);

void spk_chain_destroy(spk_chain *chain);

// Passes of a chain, and the units of one: what threads may share.
int32_t spk_chain_passes(const spk_chain *chain);
int32_t spk_chain_units(const spk_chain *chain, int32_t pass);

// Bytes of the planes, which all threads share, and of the tiles that each needs for itself.
size_t spk_chain_planes_bytes(const spk_chain *chain);
size_t spk_chain_tile_bytes(const spk_chain *chain);

// Where the tensors of a call are. `data_of` gives those that enter or leave.
typedef struct spk_chain_call {
  const spk_chain *chain;
  void *(*data_of)(const void *context, int tensor);
  const void *context;
  uint8_t *planes;  // aligned to 64 bytes, as the tiles are
  int32_t image;    // of the batch
} spk_chain_call;

// The units [begin, end) of a pass.
void spk_chain_run(const spk_chain_call *call, int32_t pass, int32_t begin, int32_t end,
                   uint8_t *tiles);

#endif  // SPK_DELEGATE_CHAIN_H_
