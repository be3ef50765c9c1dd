// How a chain is laid out: shared by the file that plans it and the one that runs it.
#ifndef SPK_DELEGATE_CHAIN_PLAN_H_
#define SPK_DELEGATE_CHAIN_PLAN_H_

#include "delegate/chain.h"
#include "delegate/chain_unroll.h"
#include "kernels/x86/planes_f32.h"
#include "kernels/x86/planes_s8.h"

// What a tensor of a chain is.
typedef struct chain_value {
  int tensor;
  int32_t height, width, channels;
  int32_t planes;     // of one channel each, or of four
  int32_t layout;     // of its planes
  uint32_t padding;   // the word around an image
  int32_t producer;   // link, or -1: it enters as NHWC
  int32_t pass;       // in which it is made or packed
  int32_t last_pass;  // in which it is read
  int32_t last_step;  // of that pass
  bool is_whole;      // lies in planes; else in tiles of its only pass
  bool is_windowed;   // some window larger than a pixel reads it
  bool leaves;        // is stored as NHWC too
  bool is_unrolled;   // its pixels are the windows of a convolution (chain_unroll.h)
  spk_window2d unrolled;
  int32_t input_offset;  // of an unrolled one
  size_t at;             // words from the start of the planes or of the tiles
} chain_value;

typedef enum chain_step_kind { CHAIN_PACK, CHAIN_LINK, CHAIN_STORE } chain_step_kind;

typedef struct chain_step {
  chain_step_kind kind;
  int32_t link;       // of a link
  int32_t inputs[2];  // values
  int32_t output;     // value
} chain_step;

typedef struct chain_pass {
  int32_t first_step, step_count;
  int32_t layout;  // of what it makes
  int32_t height, width;
  int32_t tile;    // pixels
  int32_t stream;  // pixels, with the gaps between rows
  // Neighbouring tiles that one unit of work computes. What a window reads for them is copied
  // to a band first, `band` words from plane to plane (0: read where it is): planes lie
  // pages apart, and more of them than a processor can keep track of.
  int32_t unit, band;
  size_t band_at;  // words from the start of the tiles
} chain_pass;

// A link as its kernel reads it.
typedef struct chain_kernel {
  union {
    spk_planes_conv2d conv;
    spk_planes_depthwise depthwise;
    spk_planes_conv2d_s8 conv_s8;
    spk_planes_depthwise_s8 depthwise_s8;
    spk_planes_add_s8 add_s8;
  } as;
  int32_t reach;  // words from the first tap of a window to the pixel at `first`
  int32_t span;   // words from the first tap of a window to the last
} chain_kernel;

enum { kMostValues = 3 * kSpkMostLinks, kMostSteps = 5 * kSpkMostLinks };
enum { kMostPasses = 2 * kSpkMostLinks, kMostLayouts = kMostValues };

struct spk_chain {
  const spk_planes_kernels *kernels;
  // Of the values, which share one where they are as far apart in memory pixel by pixel: a
  // layer of stride 1 and what it reads.
  spk_planes layouts[kMostLayouts];
  int32_t layout_count, link_count, value_count, step_count, pass_count;
  spk_link links[kSpkMostLinks];
  spk_window2d windows[kSpkMostLinks];  // of one pixel where they are unrolled
  spk_requant requants[kSpkMostLinks];  // int8, of outputs as x + 128
  chain_kernel kernel_of[kSpkMostLinks];
  void *memory[kSpkMostLinks][3];  // packed weights, bias, offsets
  chain_value values[kMostValues];
  chain_step steps[kMostSteps];
  chain_pass passes[kMostPasses];
  uint8_t *zeros;  // a pixel between rows
  size_t planes_words, tile_words;
};

// The value that is this tensor, or -1.
int32_t spk_chain_find_value(const spk_chain *chain, int tensor);

// The values of all links, in order; returns a reason when shapes disagree.
const char *spk_chain_find_values(spk_chain *chain, const spk_chain_layer *layers,
                                  const int *leaving, int32_t leaving_count);

// Lays planes out, with room for the largest image of each layout and for all windows. False
// where they are too large.
bool spk_chain_lay_out(spk_chain *chain);

// The layout of what a link reads.
const spk_planes *spk_chain_input_layout(const spk_chain *chain, int32_t link);

// Does this link read more than the pixel itself?
bool spk_is_windowed(const spk_link *link, const spk_window2d *window);

// Packs the weights of all links for where their inputs lie. Returns NULL or a reason.
const char *spk_chain_pack(spk_chain *chain, const spk_chain_layer *layers);

// The same for one link of int8.
const char *spk_chain_pack_s8(spk_chain *chain, int32_t link, const spk_chain_layer *layer);

// Words from one plane to the next where the link reads its input.
int32_t spk_chain_stride_of_input(const spk_chain *chain, int32_t link);

#endif  // SPK_DELEGATE_CHAIN_PLAN_H_
