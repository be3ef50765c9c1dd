"""The callback that lowers the density of `FeatureBoosting` layers while `fit()` trains."""

import keras

from keras_prune.granularity.granularity import check_positive
from keras_prune.layers.feature_boosting import FeatureBoosting
from keras_prune.layers.winner_take_all import check_share
from keras_prune.weights import layer_matcher


class FeatureBoostingSchedule(keras.callbacks.Callback):
    """Lowers the share of channels that `kp.layers.FeatureBoosting` keeps, step by step.

        density(epoch) = max(density, start - step floor(epoch / every))

    All layers begin with all channels, so that the predictions are of use before something is
    left out. From [Gao et al., 2019](https://arxiv.org/abs/1810.05331).

    The epoch's logs get `feature_boosting_density`.

    Example:

    ```python
    model.fit(x, y, epochs=12, callbacks=[kp.FeatureBoostingSchedule(0.5, every=2)])
    ```

    Args:
        density: Float in (0, 1]. Where the schedule ends.
        start: Float in (0, 1], not below `density`. Defaults to `1.0`.
        step: Float in (0, 1]. Defaults to `0.1`.
        every: Int >= 1. Epochs between two steps. Defaults to `1`.
        filters: Regex string, list of them, or callable(layer) -> bool. Only `FeatureBoosting`
            layers that match. Defaults to all.

    Raises:
        ValueError: If an argument is wrong, or the model has no such layer.
    """

    def __init__(self, density, start=1.0, step=0.1, every=1, filters=None):
        super().__init__()
        self.density = check_share("density", density, above_zero=True)
        self.start = check_share("start", start, above_zero=True)
        self.step = check_share("step", step, above_zero=True)
        self.every = check_positive("every", every)
        self.matches = layer_matcher(filters)
        if self.start < self.density:
            raise ValueError(
                f"The density falls from `start`. Received: start={start}, density={density}"
            )

    def on_train_begin(self, logs=None):
        layers = self.model._flatten_layers()
        self.layers = [x for x in layers if isinstance(x, FeatureBoosting) and self.matches(x)]
        if not self.layers:
            raise ValueError(
                "`FeatureBoostingSchedule` needs a model with `FeatureBoosting` layers that "
                f"match. Received: model={self.model.name}"
            )

    def on_epoch_begin(self, epoch, logs=None):
        self.current = max(self.density, self.start - self.step * (epoch // self.every))
        for layer in self.layers:
            layer.density = self.current

    def on_epoch_end(self, epoch, logs=None):
        if logs is not None:
            logs["feature_boosting_density"] = self.current
