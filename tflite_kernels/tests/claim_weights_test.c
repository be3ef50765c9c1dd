// Filters of grouped convolutions become filters of all channels.
#include "delegate/claim_weights.h"

#include "tests/random_models.h"

static double value_at(const void *values, spk_dtype dtype, size_t i) {
  return dtype == SPK_F32 ? ((const float *)values)[i] : ((const int8_t *)values)[i];
}

static void check(spk_dtype dtype, int groups, int own, int outputs, int kernel) {
  host *h = host_create();
  const int type = dtype == SPK_F32 ? kTfLiteFloat32 : kTfLiteInt8;
  const int dims[4] = {1, 5, 6, groups * own}, channels = groups * outputs;
  const int x = model_image(h, type, 4, dims);
  model_grouped(h, type, x, channels, kernel, 0, groups);
  spk_claim claim;
  spk_layer layer;
  const char *reason = spk_claim_node(&h->context, h->plan, 0, &claim);
  EXPECT(!reason && !spk_claim_layer(&h->context, &claim, &layer), "%s", reason);
  EXPECT(layer.groups == groups && layer.window.in_c == dims[3], "%d groups", layer.groups);
  void *weights = spk_claim_weights(&h->context, &claim, &layer.window, &reason);
  EXPECT(!reason, "%s", reason);
  const void *filter = h->tensors[claim.filter].data;
  const int rows = channels * kernel * kernel;
  int zeros = 0;
  for (int r = 0; r < rows; ++r) {
    const int first = r / (rows / groups) * own;
    for (int c = 0; c < dims[3]; ++c) {
      const bool is_own = c >= first && c < first + own;
      const double want = is_own ? value_at(filter, dtype, (size_t)(r * own + c - first)) : 0;
      const double got = value_at(weights, dtype, (size_t)(r * dims[3] + c));
      EXPECT(got == want, "%g for %g at %d, %d of %d groups", got, want, r, c, groups);
      zeros += is_own && want == 0;
    }
  }
  const double share = spk_share_of_zeros(&layer, weights) * rows * own;
  EXPECT(share > zeros - 0.01 && share < zeros + 0.01, "%g zeros for %d", share, zeros);
  free(weights);
  host_destroy(h);
}

// Groups that do not divide the channels, and filters that would take too much memory.
static void test_refusals(void) {
  static const struct {
    int inputs, own, outputs, kernel;
    const char *reason;
  } cases[] = {{12, 5, 8, 3, "its weights do not fit its input"},
               {12, 3, 6, 3, "its weights do not fit its input"},
               {4, 8, 8, 1, "its weights do not fit its input"},
               {16000, 1, 16000, 1, "its groups are too many"}};
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); ++i) {
    host *h = host_create();
    const int dims[4] = {1, 3, 3, cases[i].inputs}, out[4] = {1, 3, 3, cases[i].outputs};
    const int filter[4] = {cases[i].outputs, cases[i].kernel, cases[i].kernel, cases[i].own};
    const size_t bytes =
        sizeof(float) * (size_t)(filter[0] * filter[1] * filter[2] * filter[3]);
    void *zeros = calloc(bytes, 1);
    const int inputs[2] = {model_image(h, kTfLiteFloat32, 4, dims),
                           host_add_tensor(h, kTfLiteFloat32, 4, filter, zeros, bytes)};
    TfLiteConvParams *p = spk_test_buffer(sizeof(*p));
    *p = (TfLiteConvParams){kTfLitePaddingSame, 1, 1, 0, 1, 1};
    const int y = model_image(h, kTfLiteFloat32, 4, out);
    host_add_node(h, kTfLiteBuiltinConv2d, 2, inputs, y, p);
    spk_claim claim;
    const char *reason = spk_claim_node(&h->context, h->plan, 0, &claim);
    EXPECT(reason && !strcmp(reason, cases[i].reason), "%s", reason ? reason : "claimed");
    free(zeros);
    host_destroy(h);
  }
}

int main(void) {
  for (int i = 0; i < 300; ++i)
    check(i % 2 ? SPK_F32 : SPK_S8, spk_random_int(1, 6), spk_random_int(1, 9),
          spk_random_int(1, 7), spk_random_int(1, 3));
  test_refusals();
  return spk_test_result();
}
