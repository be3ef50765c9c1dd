// The values of a chain: what its links read and make, and the layouts of their planes.
#include "delegate/chain_plan.h"

static int32_t max_i32(int32_t a, int32_t b) { return a > b ? a : b; }

bool spk_is_windowed(const spk_link *link, const spk_window2d *w) {
  return link->kind == SPK_LINK_DEPTHWISE || w->kernel_h * w->kernel_w > 1 || w->pad_top > 0 ||
         w->pad_left > 0 || w->out_h != w->in_h || w->out_w != w->in_w;
}

// How far a window reads behind the last pixel of an axis.
static int32_t behind(int32_t in, int32_t out, int32_t kernel, int32_t stride, int32_t dilation,
                      int32_t pad) {
  return max_i32(0, (out - 1) * stride - pad + (kernel - 1) * dilation - (in - 1));
}

int32_t spk_chain_find_value(const spk_chain *chain, int tensor) {
  for (int32_t i = 0; i < chain->value_count; ++i)
    if (chain->values[i].tensor == tensor) return i;
  return -1;
}

static int32_t add_value(spk_chain *chain, int tensor, int32_t h, int32_t w, int32_t c,
                         int32_t producer) {
  chain->values[chain->value_count] =
      (chain_value){.tensor = tensor,
                    .height = h,
                    .width = w,
                    .channels = c,
                    .planes = (c - 1) / chain->kernels->channels + 1,
                    .layout = chain->layout_count++,
                    .producer = producer,
                    .pass = -1,
                    .last_pass = -1};
  return chain->value_count++;
}

const spk_planes *spk_chain_input_layout(const spk_chain *chain, int32_t link) {
  const int32_t v = spk_chain_find_value(chain, chain->links[link].inputs[0]);
  return &chain->layouts[chain->values[v].layout];
}

bool spk_chain_lay_out(spk_chain *chain) {
  for (int32_t v = 0; v < chain->value_count; ++v) {
    spk_planes *p = &chain->layouts[chain->values[v].layout];
    p->height = max_i32(p->height, chain->values[v].height);
    p->width = max_i32(p->width, chain->values[v].width);
  }
  for (int32_t i = 0; i < chain->link_count; ++i) {
    const spk_window2d *w = &chain->windows[i];
    const int32_t v = spk_chain_find_value(chain, chain->links[i].inputs[0]);
    spk_planes *p = &chain->layouts[chain->values[v].layout];
    p->stride = max_i32(p->stride, w->stride_w);
    p->top = max_i32(p->top, w->pad_top);
    p->bottom = max_i32(p->bottom, behind(w->in_h, w->out_h, w->kernel_h, w->stride_h,
                                          w->dilation_h, w->pad_top));
    p->gap = max_i32(p->gap, w->pad_left);
    p->gap = max_i32(p->gap, behind(w->in_w, w->out_w, w->kernel_w, w->stride_w, w->dilation_w,
                                    w->pad_left));
  }
  for (int32_t i = 0; i < chain->layout_count; ++i)
    if (!spk_planes_lay_out(&chain->layouts[i])) return false;
  return true;
}

// Gives all values of one layout the other.
static void unite(spk_chain *chain, int32_t from, int32_t to) {
  for (int32_t v = 0; v < chain->value_count; ++v)
    if (chain->values[v].layout == from) chain->values[v].layout = to;
}

static void unroll(chain_value *value, const spk_layer *layer) {
  value->is_unrolled = true;
  value->unrolled = layer->window;
  value->input_offset = layer->requant.input_offset;
}

const char *spk_chain_find_values(spk_chain *chain, const spk_chain_layer *layers,
                                  const int *leaving, int32_t leaving_count) {
  for (int32_t i = 0; i < chain->link_count; ++i) {
    const spk_link *link = &chain->links[i];
    const spk_window2d *w = &chain->windows[i];
    for (int32_t j = 0; j < link->input_count; ++j) {
      int32_t v = spk_chain_find_value(chain, link->inputs[j]);
      const bool unrolls = spk_unrolls(link, &layers[i].layer.window);
      if (v >= 0 && (unrolls || chain->values[v].is_unrolled))
        return "its windows are not alone";
      if (v < 0) v = add_value(chain, link->inputs[j], w->in_h, w->in_w, w->in_c, -1);
      chain_value *value = &chain->values[v];
      if (unrolls) unroll(value, &layers[i].layer);
      if (value->height != w->in_h || value->width != w->in_w || value->channels != w->in_c)
        return "the shapes of its layers disagree";
      if (!spk_is_windowed(link, w)) continue;
      value->is_windowed = true;
      // Zeros of float32, or the zero point as x + 128.
      if (chain->kernels->channels > 1)
        value->padding =
            0x01010101u * ((uint32_t)(128 - chain->requants[i].input_offset) & 0xff);
    }
    if (spk_chain_find_value(chain, link->output) >= 0) return "its layers are not in order";
    const int32_t output = add_value(chain, link->output, w->out_h, w->out_w, w->out_c, i);
    for (int32_t j = 0; j < link->input_count && w->stride_w == 1; ++j)
      unite(chain, chain->values[spk_chain_find_value(chain, link->inputs[j])].layout,
            chain->values[output].layout);
  }
  for (int32_t i = 0; i < leaving_count; ++i) {
    const int32_t v = spk_chain_find_value(chain, leaving[i]);
    if (v >= 0 && chain->values[v].producer >= 0) chain->values[v].leaves = true;
  }
  return NULL;
}
