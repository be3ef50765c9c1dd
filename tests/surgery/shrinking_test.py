"""A model without its dead units does the same as before."""

import keras
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import keras_prune as kp
from tests.surgery.graphs import assert_same, disturb, image_model, outputs, smaller

pytestmark = [
    pytest.mark.all_backends,
    pytest.mark.filterwarnings("ignore:Pruning has cut the model:UserWarning"),
]
layers = keras.layers
ALONE = kp.Filter(coupled=False)  # filters whose biases stay


def normal(*shape):
    return np.random.default_rng(0).normal(size=shape).astype("float32")


def widths(model):
    return {
        layer.name: layer.output.shape[-1]
        for layer in model._flatten_layers(include_self=False)
        if hasattr(layer, "kernel")
    }


def chain(**dense):
    keras.utils.set_random_seed(0)
    return disturb(
        keras.Sequential(
            [
                keras.Input((6,)),
                layers.Dense(8, "relu", name="first"),
                layers.Dense(8, "tanh", name="second", **dense),
                layers.Dense(3, name="logits"),
            ],
            name="chain",
        )
    )


@settings(
    max_examples=5 if keras.config.backend() == "jax" else 25,  # it compiles every shape
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(st.data())
def test_any_graph_of_these_layers_does_the_same_when_it_is_cut(data):
    model = image_model(data.draw)
    smaller(model, normal(2, 8, 8, 3))
    smaller(model, normal(2, 8, 8, 3), round_to=4)
    keras.backend.clear_session()


@pytest.mark.parametrize("biased", [True, False])
def test_dead_units_go_and_what_they_emitted_is_folded(biased):
    model = chain(use_bias=biased)
    kp.prune(model, 0.5, granularity=ALONE)
    small = smaller(model, normal(5, 6))
    assert isinstance(small, keras.Sequential) and small.name == "chain"
    assert widths(small) == {"first": 4, "second": 4, "logits": 3}
    assert small.get_layer("second").use_bias  # it took up what `first` emitted


def test_units_that_nobody_reads_go_with_what_made_them_alone():
    model = chain()
    second, logits = model.get_layer("second"), model.get_layer("logits")
    kernel = keras.ops.convert_to_numpy(logits.kernel)
    kernel[3:] = 0.0
    logits.kernel.assign(kernel)
    kernel = keras.ops.convert_to_numpy(second.kernel)
    kernel[5:, :3] = 0.0  # read by none of the three units that stay
    second.kernel.assign(kernel)
    assert widths(smaller(model, normal(5, 6))) == {"first": 5, "second": 3, "logits": 3}


def test_one_unit_stands_in_for_all_whose_constants_meet_a_border():
    keras.utils.set_random_seed(0)
    model = disturb(
        keras.Sequential(
            [
                keras.Input((6, 6, 2)),
                layers.Conv2D(8, 3, name="dead"),
                layers.BatchNormalization(),
                layers.Activation("softplus"),
                layers.Conv2D(4, 3, padding="same", name="padded"),
                layers.Flatten(),
                layers.Dense(2),
            ]
        )
    )
    kp.prune(model, 0.5, granularity=ALONE, filters="dead")
    x = normal(3, 6, 6, 2)
    assert widths(smaller(model, x))["dead"] == 5
    loose = kp.shrink(model, exact=False)
    assert widths(loose)["dead"] == 4
    assert abs(outputs(loose, x) - outputs(model, x)).max() > 1e-3  # the borders


def test_residual_streams_are_cut_where_all_that_meet_are_dead():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6, 6, 3))
    x = layers.Conv2D(6, 3, padding="same", use_bias=False, name="a")(inputs)
    y = layers.Conv2D(6, 3, padding="same", use_bias=False, name="b")(x)
    x = layers.Add()([x, y])
    model = keras.Model(inputs, layers.Dense(2)(layers.GlobalMaxPooling2D()(x)))
    for name, dead in (("a", [0, 1, 2]), ("b", [1, 2, 3])):
        kernel = keras.ops.convert_to_numpy(model.get_layer(name).kernel)
        kernel[..., dead] = 0.0
        model.get_layer(name).kernel.assign(kernel)
    small = smaller(model, normal(2, 6, 6, 3))
    assert widths(small)["a"] == widths(small)["b"] == 4
    plan = kp.plan_shrink(model)
    assert plan.widths["a"] == (6, 4) and sum(plan.kept["a"].values()) == 1
    assert "reads something there that varies" in str(plan)


@pytest.mark.parametrize("form", ["relu after", "gate of zero"])
def test_squeeze_and_excite_is_cut_with_its_channels(form):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6, 6, 3))
    x = layers.Conv2D(8, 3, name="conv", activation="relu")(inputs)
    s = layers.GlobalAveragePooling2D(keepdims=True)(x)
    s = layers.Conv2D(4, 1, activation="relu", name="squeeze")(s)
    s = layers.Conv2D(8, 1, activation="sigmoid", name="excite")(s)
    x = layers.Multiply()([x, s])
    model = keras.Model(inputs, layers.Dense(2, name="logits")(layers.Flatten()(x)))
    if form == "gate of zero":
        disturb(model)
        model.get_layer("conv").bias.assign(np.zeros(8))
    kp.prune(model, 0.5, granularity=ALONE, filters="conv")
    assert widths(smaller(model, normal(2, 6, 6, 3))) == {
        "conv": 4,
        "squeeze": 4,
        "excite": 4,
        "logits": 2,
    }


@pytest.mark.parametrize("groups, width", [(2, 4), (8, 8)])
def test_groups_of_channels_go_as_a_whole(groups, width):
    keras.utils.set_random_seed(0)
    model = disturb(
        keras.Sequential(
            [
                keras.Input((6, 6, 2)),
                layers.Conv2D(8, 1, name="conv"),
                layers.GroupNormalization(groups=groups),
                layers.Conv2D(2, 1, name="logits"),
            ]
        )
    )
    kernel = keras.ops.convert_to_numpy(model.get_layer("conv").kernel)
    kernel[..., :4] = 0.0
    model.get_layer("conv").kernel.assign(kernel)
    small = smaller(model, normal(2, 6, 6, 2))
    assert widths(small)["conv"] == 4
    assert small.layers[1].groups == groups // 2
    kernel[..., 4:7] = 0.0
    model.get_layer("conv").kernel.assign(kernel)
    left = 4 if groups == 2 else 1
    assert widths(smaller(model, normal(2, 6, 6, 2)))["conv"] == left


def test_layer_normalization_keeps_all_units_and_says_so():
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(6, name="d"), layers.LayerNormalization(), layers.Dense(2)]
    )
    kp.prune(model, 0.5, granularity="filter", filters="d")
    plan = kp.plan_shrink(model)
    assert plan.widths["d"] == (6, 6)
    [(text, count)] = plan.kept["d"].items()
    assert count == 3 and text.endswith("(LayerNormalization) takes its statistics over all units")


@pytest.mark.parametrize("kind", [layers.LSTM, layers.GRU, layers.SimpleRNN])
@pytest.mark.parametrize("how", ["dead", "unread"])
def test_recurrent_units_go(kind, how):
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((5, 4)),
            layers.Dense(6, "relu", name="before"),
            kind(8, return_sequences=True, name="first"),
            kind(8, name="second"),
            layers.Dense(3, name="logits"),
        ]
    )
    first = model.get_layer("first").cell
    dead = [1, 4, 5]
    if how == "dead":
        for variable in (first.kernel, first.recurrent_kernel):
            values = keras.ops.convert_to_numpy(variable)
            values.reshape(len(values), -1, 8)[..., dead] = 0.0
            variable.assign(values)
    else:
        disturb(model)
        values = keras.ops.convert_to_numpy(model.get_layer("second").cell.kernel)
        values[dead] = 0.0
        model.get_layer("second").cell.kernel.assign(values)
        values = keras.ops.convert_to_numpy(first.recurrent_kernel)
        values[dead] = 0.0
        first.recurrent_kernel.assign(values)
    kp.prune(model, 0.5, granularity="filter", filters="before")
    model.get_layer("before").bias.assign(np.zeros(6))
    small = smaller(model, normal(2, 5, 4))
    assert [layer.units for layer in small.layers] == [3, 5, 8, 3]


def test_a_recurrent_unit_whose_bias_moves_it_stays():
    model = keras.Sequential([keras.Input((5, 4)), layers.GRU(4, name="g"), layers.Dense(2)])
    disturb(model)
    for variable in (model.layers[0].cell.kernel, model.layers[0].cell.recurrent_kernel):
        values = keras.ops.convert_to_numpy(variable)
        values.reshape(len(values), -1, 4)[..., 0] = 0.0
        variable.assign(values)
    bias = np.ones(model.layers[0].cell.bias.shape)
    model.layers[0].cell.bias.assign(bias)
    smaller(model, normal(2, 5, 4))
    plan = kp.plan_shrink(model)
    assert plan.widths["g"] == (4, 4)
    assert "the state of `g` (GRU) still moves with its bias" in str(plan)


@pytest.mark.parametrize("how", ["unread", "constant"])
def test_heads_of_attention_go(how):
    keras.utils.set_random_seed(0)
    inputs = keras.Input((5, 8))
    attention = layers.MultiHeadAttention(4, 3, name="attention")
    x = layers.LayerNormalization()(layers.Add()([inputs, attention(inputs, inputs)]))
    model = keras.Model(inputs, layers.Dense(2)(x))
    for variable in model.variables:
        if len(variable.shape) < 3:
            variable.assign(np.random.default_rng(1).normal(size=variable.shape))
    variable = {"unread": attention._output_dense, "constant": attention._value_dense}[how].kernel
    values = keras.ops.convert_to_numpy(variable)
    if how == "unread":
        values[1:3] = 0.0
    else:
        values[:, 1:3] = 0.0
    variable.assign(values)
    small = smaller(model, normal(3, 5, 8))
    assert small.get_layer("attention").num_heads == 2


def test_nested_models_and_shared_layers_keep_their_form():
    keras.utils.set_random_seed(0)
    encoder = keras.Sequential(
        [keras.Input((4,)), layers.Dense(8, "relu", name="in"), layers.Dense(6, name="out")],
        name="encoder",
    )
    left, right = keras.Input((4,), name="left"), keras.Input((4,), name="right")
    merged = layers.Subtract()([encoder(left), encoder(right)])
    merged = layers.Activation("relu")(merged)
    model = keras.Model({"left": left, "right": right}, {"y": layers.Dense(2, name="y")(merged)})
    disturb(model)
    kp.prune(model, 0.5, granularity=ALONE)
    x = {"left": normal(3, 4), "right": normal(3, 4) * 2.0}
    small = smaller(model, x)
    assert small.get_layer("encoder").get_layer("in").units == 4
    # What both calls emit is the same constant, and their difference is zero.
    assert small.get_layer("encoder").get_layer("out").units == 3
    assert list(small(x)) == ["y"]


class Block(keras.layers.Layer):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.wide = layers.Dense(2 * units, "relu")
        self.back = layers.Dense(units)

    def build(self, shape):
        self.wide.build(shape)
        self.back.build((*shape[:-1], self.wide.units))

    def call(self, x):
        return x + self.back(self.wide(x))


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.first = layers.Dense(8, "relu")
        self.block = Block(8)
        self.last = layers.Dense(2)

    def call(self, x, training=None):
        return self.last(keras.ops.relu(self.block(self.first(x))))


def test_subclassed_models_are_traced():
    keras.utils.set_random_seed(0)
    model = Subclassed()
    x = normal(3, 4)
    model(x)
    disturb(model)
    kp.prune(model, 0.5, granularity="filter")
    small = smaller(model, x)
    assert small.count_params() < model.count_params()
    assert widths(small)[model.block.wide.name] == 8
    assert not model.first._inbound_nodes  # nothing is left of the tracing


class Stubborn(keras.layers.Layer):
    """It is made of others, and nobody can follow its call."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.inner = layers.Dense(8)

    def build(self, shape):
        self.inner.build(shape)

    def call(self, x):
        if isinstance(x, keras.KerasTensor):
            raise TypeError("no values")
        return self.inner(x)

    def compute_output_spec(self, x):
        return keras.KerasTensor((*x.shape[:-1], 8))


class Flagged(Block):
    def call(self, x, flag=None, training=None):
        return super().call(x) if flag else -super().call(x)


def test_layers_with_other_arguments_are_traced_and_those_that_cannot_be_stay_whole():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((8,))
    flagged = Flagged(8)
    x = Stubborn(name="whole")(layers.Dense(8, name="before")(flagged(inputs, flag=True)))
    model = disturb(keras.Model(inputs, layers.Dense(2)(x)))
    kp.prune(model, 0.5, granularity=ALONE, filters="before|dense")
    small = smaller(model, normal(3, 8))
    assert small.get_layer(flagged.wide.name).units == 8
    assert small.get_layer("before").units == 8  # what `whole` does with it is unknown


def test_a_compiled_model_goes_on_training_with_its_momenta():
    keras.utils.set_random_seed(0)
    model = chain()
    model.compile(keras.optimizers.Adam(0.01, use_ema=True), "mse")
    callback = kp.PruneCallback(0.5, granularity="filter", schedule=kp.OneShot(0))
    x, y = normal(32, 6), normal(32, 3)
    model.fit(x, y, epochs=2, verbose=0, callbacks=[callback])
    small = smaller(model, x)
    assert int(small.optimizer.iterations) == int(model.optimizer.iterations) == 2
    kept = np.flatnonzero(keras.ops.convert_to_numpy(model.layers[0].kernel).any(axis=0))

    def slot(trained, variable):
        found = kp.surgery.optimizer_slots.slots(trained.optimizer, variable)
        return keras.ops.convert_to_numpy(found[0])

    np.testing.assert_array_equal(
        slot(small, small.layers[0].kernel), slot(model, model.layers[0].kernel)[:, kept]
    )
    small.fit(x, y, verbose=0)
    assert int(small.optimizer.iterations) == 3


def test_a_smaller_model_is_saved_and_loaded(tmp_path):
    model = chain()
    kp.prune(model, 0.5, granularity="filter")
    small = smaller(model, normal(3, 6))
    small.save(tmp_path / "small.keras")
    assert_same(small, keras.models.load_model(tmp_path / "small.keras"), normal(3, 6))


def test_widths_are_rounded_up_and_no_layer_vanishes():
    model = chain()
    kp.prune(model, 0.7, granularity="filter")
    assert widths(smaller(model, normal(3, 6)))["first"] == 2
    assert widths(smaller(model, normal(3, 6), round_to=4))["first"] == 4
    assert widths(smaller(model, normal(3, 6), target="cortex-m4"))["first"] == 4
    assert widths(smaller(model, normal(3, 6), target="aarch64"))["first"] == 8
    assert widths(smaller(model, normal(3, 6), min_width=3))["first"] == 3
    for layer in model.layers[:2]:
        layer.kernel.assign(np.zeros(layer.kernel.shape))
    assert widths(smaller(model, normal(3, 6))) == {"first": 1, "second": 1, "logits": 3}


def test_features_of_the_input_go_when_asked():
    model = chain()
    kernel = keras.ops.convert_to_numpy(model.layers[0].kernel)
    kernel[[1, 3]] = 0.0
    model.layers[0].kernel.assign(kernel)
    assert kp.shrink(model).input_shape == (None, 6)
    [kept] = kp.plan_shrink(model, cut_inputs=True).inputs
    assert kept.tolist() == [0, 2, 4, 5]
    small, x = kp.shrink(model, cut_inputs=True), normal(3, 6)
    np.testing.assert_allclose(outputs(small, x[:, kept]), outputs(model, x), atol=1e-5)


def test_a_branch_that_is_constant_goes_as_a_whole():
    keras.utils.set_random_seed(0)
    inputs = keras.Input((6, 6, 3))
    x = layers.Conv2D(4, 3, name="stem")(inputs)
    y = layers.Conv2D(8, 3, padding="same", name="inner")(x)
    y = layers.ReLU()(layers.BatchNormalization()(y))
    y = layers.Conv2D(4, 1, name="outer")(y)
    x = layers.ReLU()(layers.Add(name="sum")([x, y]))
    model = keras.Model(inputs, layers.Dense(2, name="logits")(layers.Flatten()(x)))
    disturb(model)
    model.get_layer("inner").kernel.assign(np.zeros((3, 3, 4, 8)))
    small = smaller(model, normal(2, 6, 6, 3))
    names = [layer.name for layer in small.layers]
    assert "inner" not in names and "outer" not in names and "sum_constant" in names


def test_channels_whose_factor_is_zero_go():
    keras.utils.set_random_seed(0)
    scale = kp.ChannelScale(name="scale")
    model = keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            layers.Conv2D(8, 3, name="conv"),
            scale,
            layers.Activation("sigmoid"),
            layers.Conv2D(3, 3, name="logits"),
        ]
    )
    disturb(model)
    factors = keras.ops.convert_to_numpy(scale.gamma).copy()
    factors[:3] = 0.0
    scale.gamma.assign(factors)
    small = smaller(model, normal(2, 6, 6, 2))
    assert small.get_layer("conv").filters == 5 and small.get_layer("scale").gamma.shape == (5,)
