"""SkipGate: each sample decides whether it passes through a block."""

import keras
from keras import ops

from keras_prune.granularity.granularity import check_positive
from keras_prune.registry import PACKAGE

DESIGNS = ("convolution", "two_convolutions")


@keras.saving.register_keras_serializable(package=PACKAGE)
class SkipGate(keras.layers.Layer):
    """Lets a sample pass through a block, or around it.

        y = G F(x) + (1 - G) x,  G in {0, 1} for each sample

    A small network predicts the probability p of passing through from what would go on without
    the block. In inference G = [p > 1/2]. In training G is the same, and the gradient is that of p
    (straight-through); under `kp.SkipPolicy` G is drawn with probability p. From [Wang et al.,
    2018](https://arxiv.org/abs/1711.09485). Stock run times compute both sides; `kp.cost` with
    data counts only what is passed through.

    The designs of the gate: `"convolution"`, the paper's FFGate-II, is a 3 x 3 convolution with
    stride 2 and batch normalization, global average pooling and a dense layer;
    `"two_convolutions"`, FFGate-I, is max pooling and a 3 x 3 convolution before that. A recurrent
    gate hands its probability in, see `kp.layers.SkipController`.

    Example:

    ```python
    def block(x):
        y = keras.layers.Conv2D(16, 3, padding="same", activation="relu")(x)
        return keras.layers.Add()([x, keras.layers.Conv2D(16, 3, padding="same")(y)])

    x = kp.layers.SkipGate()([x, block(x)])
    ```

    Where a block changes the shape, a projection of x stands in the first place.

    A program that loads a saved model with this layer must import `keras_prune.layers` before.

    Args:
        design: Str, one of `"convolution"` and `"two_convolutions"`, or `None` where the
            probability is handed in. Defaults to `"convolution"`.
        filters: Int >= 1. Filters of the gate's convolutions. Defaults to `10`.
        bias: Float. The logit of p that training begins with. Defaults to `2.0`: nearly all
            samples pass through.
        seed: Int or `None`. What decisions are drawn by. Defaults to `None`.
        **kwargs: What every Keras layer takes: `name`, `dtype`, `trainable`.

    Input shape: List of tensors: what goes on without the block (batch, height, width, channels),
        the block's output of the same shape, and without a design p, (batch, 1).

    Output shape: That of the first.
    """

    def __init__(self, design="convolution", filters=10, bias=2.0, seed=None, **kwargs):
        super().__init__(**kwargs)
        if design not in (*DESIGNS, None):
            raise ValueError(
                f"Argument `design` must be one of {DESIGNS} or None. Received: design={design!r}"
            )
        self.design = design
        self.filters = check_positive("filters", filters)
        self.bias = float(bias)
        self.seed = seed
        self.seed_generator = keras.random.SeedGenerator(seed)
        self.decisions = None  # a deque while `SkipPolicy` trains

    def build(self, input_shape):
        first, second, *given = map(tuple, input_shape)
        if first[1:] != second[1:]:
            raise ValueError(
                "A block and the way around it must have one shape: put a projection on the "
                f"latter. Received: shapes {first} and {second}"
            )
        if len(given) != (self.design is None):
            raise ValueError(
                "`SkipGate` takes the two sides, and the probability only where it has no design "
                f"of its own. Received: {len(input_shape)} inputs, design={self.design!r}"
            )
        self._rank = len(first)
        shared = {"dtype": self.dtype_policy}
        self.execute = keras.layers.Multiply(name="execute", **shared)
        self.skip = keras.layers.Multiply(name="skip", **shared)
        self.add = keras.layers.Add(name="add", **shared)
        self.predictor = None
        if self.design is not None:
            self.predictor = self._predictor(first)
            self.predictor.build(first)

    def _predictor(self, shape):
        if len(shape) != 4:
            raise ValueError(
                "The designs of `SkipGate` are for images (batch, height, width, channels). "
                f"Received: input_shape={shape}"
            )
        layers, shared = keras.layers, {"dtype": self.dtype_policy}

        def convolution(strides):
            return [
                layers.Conv2D(self.filters, 3, strides, "same", use_bias=False, **shared),
                layers.BatchNormalization(**shared),
                layers.ReLU(**shared),
            ]

        start = []
        if self.design == "two_convolutions":
            start = [layers.MaxPooling2D(padding="same", **shared), *convolution(1)]
        bias = keras.initializers.Constant(self.bias)
        logit = layers.Dense(1, "sigmoid", bias_initializer=bias, **shared)
        end = [*convolution(2), layers.GlobalAveragePooling2D(**shared), logit]
        return keras.Sequential([*start, *end], name="gate")

    def call(self, inputs, training=None):
        skipped, transformed, *given = inputs
        probability = given[0] if given else self.predictor(skipped, training=training)
        probability = ops.cast(probability, "float32")
        passes = ops.cast(self._decide(probability, training), self.compute_dtype)
        passes = ops.reshape(passes, (-1, *[1] * (self._rank - 1)))
        through = self.execute([transformed, passes])
        return self.add([through, self.skip([skipped, 1.0 - passes])])

    def _decide(self, probability, training):
        hard = ops.cast(probability > 0.5, "float32")
        if not training:
            return hard
        if self.decisions is None:
            return hard + probability - ops.stop_gradient(probability)
        drawn = keras.random.uniform(ops.shape(probability), seed=self.seed_generator)
        action = ops.cast(drawn < ops.stop_gradient(probability), "float32")
        chosen = ops.where(action > 0.5, probability, 1.0 - probability)
        self.decisions.append((action[:, 0], ops.log(ops.maximum(chosen[:, 0], 1e-7))))
        return action

    def compute_output_shape(self, input_shape):
        return tuple(input_shape[0])

    def get_config(self):
        return {
            **super().get_config(),
            "design": self.design,
            "filters": self.filters,
            "bias": self.bias,
            "seed": self.seed,
        }


@keras.saving.register_keras_serializable(package=PACKAGE)
class SkipController(keras.layers.Layer):
    """One recurrent network that decides for all gates of a model, one after the other.

    An LSTM reads the pooled maps before each gate, embedded by a dense layer of the gate's own,
    and predicts the probability that the sample passes through the next block. From [Wang et al.,
    2018](https://arxiv.org/abs/1711.09485), the paper's RNNGate.

    Example:

    ```python
    controller = kp.layers.SkipController()
    state = None
    for _ in range(3):
        pooled = keras.layers.GlobalAveragePooling2D()(x)
        probability, state = controller(keras.layers.Dense(10)(pooled), state)
        x = kp.layers.SkipGate(design=None)([x, block(x), probability])
    ```

    Args:
        units: Int >= 1. Units of the LSTM. Defaults to `10`.
        bias: Float. The logit of p that training begins with. Defaults to `2.0`.
        **kwargs: What every Keras layer takes: `name`, `dtype`, `trainable`.

    Input shape: Tensor (batch, features), the same for all gates; and the state that the last
        call returned, or `None`.

    Output shape: List of the probability (batch, 1) and the state (batch, 2 units).
    """

    def __init__(self, units=10, bias=2.0, **kwargs):
        super().__init__(**kwargs)
        self.units = check_positive("units", units)
        self.bias = float(bias)
        shared = {"dtype": self.dtype_policy}
        self.cell = keras.layers.LSTMCell(units, name="cell", **shared)
        self.decide = keras.layers.Dense(
            1,
            "sigmoid",
            bias_initializer=keras.initializers.Constant(self.bias),
            name="decide",
            **shared,
        )

    def build(self, inputs_shape, state_shape=None):
        self.cell.build(inputs_shape)
        self.decide.build((None, self.units))

    def call(self, inputs, state=None):
        if state is None:
            state = ops.zeros((ops.shape(inputs)[0], 2 * self.units), self.compute_dtype)
        hidden, (first, second) = self.cell(
            inputs, [state[:, : self.units], state[:, self.units :]]
        )
        return [self.decide(hidden), ops.concatenate([first, second], axis=-1)]

    def compute_output_shape(self, inputs_shape, state_shape=None):
        return [(inputs_shape[0], 1), (inputs_shape[0], 2 * self.units)]

    def compute_output_spec(self, inputs, state=None):
        shapes = self.compute_output_shape(inputs.shape)
        return [keras.KerasTensor(shape, self.compute_dtype) for shape in shapes]

    def get_config(self):
        return {**super().get_config(), "units": self.units, "bias": self.bias}
