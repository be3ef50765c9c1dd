"""BatchNormScale: filters that their batch normalization scales down matter least."""

import numpy as np

from keras_prune import backend
from keras_prune.analysis.channel_scales import find_scales
from keras_prune.criteria.criterion import CRITERIA, Criterion, spread
from keras_prune.layer_views import LazyScores
from keras_prune.weights import find_weights


@CRITERIA.register("batch_norm_scale")
class BatchNormScale(Criterion):
    """Scores a filter by |gamma|, its factor in the BatchNormalization that follows.

    Network slimming, [Liu et al., 2017](https://arxiv.org/abs/1708.06519): train with
    `kp.SlimmingPenalty`, which makes the factors of filters that do not matter small, prune
    by one threshold over all layers, and train on. Where a model has no batch normalization,
    `kp.ChannelScale` puts such factors behind a layer.

    Layers that no `BatchNormalization` or `ChannelScale` follows alone are skipped, and the
    report says so; so are those whose factors are off (`scale=False`). A model without any is
    refused.

    The zeros are those of the kernels. The factors stay as they are, and so do the constants that
    a filter of zeros still puts out.

    Example:

    ```python
    model.fit(x, y, callbacks=[kp.RegularizeCallback(kp.SlimmingPenalty(1e-4))])
    kp.prune(
        model, 0.5, criterion="batch_norm_scale", granularity="filter", allocation="global"
    )
    ```
    """

    scores_outputs = True

    def skip(self, model, weights, data):
        scales = find_scales(model, weights)
        found = {id(weight): scales[id(weight.variable)] for weight in weights}
        return {key: reason for key, reason in found.items() if isinstance(reason, str)}

    def probe(self, model, data):
        return find_scales(model, find_weights(model))

    def scores(self, weights, probe=None):
        for weight in weights:
            if isinstance(probe[id(weight.variable)], str):
                raise ValueError(
                    "A layer has no scaling factors to score its filters by: "
                    f"{probe[id(weight.variable)]}. Received: {weight.path}"
                )

        def score(weight):
            return spread(weight, np.abs(backend.to_numpy(probe[id(weight.variable)])))

        return LazyScores(score, weights)
