"""SlimmingPenalty: the L1 penalty on the factors behind filters."""

import keras

from keras_prune.analysis.channel_scales import find_scales
from keras_prune.regularizers.loss_penalty import Added, LossPenalty
from keras_prune.regularizers.penalty import PENALTIES, check_strength
from keras_prune.targets import find_targets


@PENALTIES.register()
class SlimmingPenalty(LossPenalty):
    """Draws the scaling factors of a model's filters to zero: loss + strength * sum |gamma|.

    The factors are those that the criterion `"batch_norm_scale"` looks at: the `gamma` of the
    `BatchNormalization`, or of the `kp.ChannelScale`, that follows a kernel's
    layer. The gradient is strength * sign(gamma), so factors become small and never exactly
    zero: prune by them afterwards. Network slimming,
    [Liu et al., 2017](https://arxiv.org/abs/1708.06519); their program takes 1e-4, and 1e-5
    for deep residual networks.

    Wherever the loss is compiled into a function of one's own, attach before.

    Example:

    ```python
    model.fit(x, y, callbacks=[kp.RegularizeCallback(kp.SlimmingPenalty(1e-4))])
    kp.prune(
        model, 0.5, criterion="batch_norm_scale", granularity="filter", allocation="global"
    )
    ```

    Args:
        strength: Float >= 0. The factor of the L1 norm in the loss. Defaults to `1e-4`.
    """

    def __init__(self, strength=1e-4):
        self.strength = check_strength("strength", strength)
        super().__init__(self._norm)

    def get_config(self):
        return {"strength": self.strength}

    def __repr__(self):
        return f"SlimmingPenalty({self.strength})"

    def _norm(self, gamma):
        gamma = keras.ops.convert_to_tensor(gamma)
        # Not `abs`, whose slope at zero is another one on every backend.
        sign = keras.ops.stop_gradient(keras.ops.sign(gamma))
        return self.strength * keras.ops.sum(gamma * sign)

    def _penalties(self, filters):
        scales = {}

        def skip(weights):
            scales.update(find_scales(self.model, weights))
            found = {id(weight): scales[id(weight.variable)] for weight in weights}
            return {key: reason for key, reason in found.items() if isinstance(reason, str)}

        found = find_targets(self.model, filters, skip=skip)
        self.weights = [weight for weight in found if weight.skip is None]
        factors = [scales[id(weight.variable)] for weight in self.weights]
        once = {id(variable): variable for variable in factors}.values()
        return [(variable, Added(self.regularizer)) for variable in once]
