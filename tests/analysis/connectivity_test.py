"""Which weights carry a signal: by hand, by brute force over paths, and by perturbation."""

import itertools

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_prune.analysis.collapse import layer_collapse
from keras_prune.analysis.connectivity import NO_WEIGHT, effective_sparsity
from keras_prune.analysis.signal_paths import NO_INPUT, NO_MEETING, NO_OUTPUT, NOT_CALLED
from keras_prune.one_shot import prune

layers = keras.layers
pytestmark = pytest.mark.all_backends


def chain(*kernels):
    """Dense layers with these kernels."""
    model = keras.Sequential([keras.Input((len(kernels[0]),))])
    for index, kernel in enumerate(kernels):
        model.add(layers.Dense(len(kernel[0]), activation="relu", name=f"dense_{index}"))
        model.layers[-1].kernel.assign(np.array(kernel, "float32"))
    return model


def active(report):
    return [weight.active for weight in report.weights]


def test_a_weight_into_a_dead_end_and_one_out_of_nothing_are_disconnected():
    # Unit 0 is fed and heard; unit 1 is fed, nobody hears it; unit 2 is heard, not fed.
    model = chain([[1, 1, 0], [0, -2, 0]], [[3], [0], [-1]])
    report = effective_sparsity(model)
    assert active(report) == [1, 1]
    assert [weight.nonzero for weight in report.weights] == [3, 2]
    assert report.disconnected == 3
    assert report.sparsity == 4 / 9
    assert report.effective_sparsity == 7 / 9
    assert report.untraced == {} == report.collapsed
    assert "Effective sparsity" in str(report)


def test_dead_units_hand_their_death_on():
    keep = np.eye(3)
    model = chain(np.diag([1, 0, 0]), keep, keep, np.diag([0, 1, 1]))
    report = effective_sparsity(model)
    assert active(report) == [0, 0, 0, 0]
    assert list(report.collapsed.values()) == [NO_MEETING] * 4


@pytest.mark.parametrize(
    "empty, reasons",
    [
        (0, [NO_WEIGHT, NO_INPUT, NO_INPUT]),
        (1, [NO_OUTPUT, NO_WEIGHT, NO_INPUT]),
        (2, [NO_OUTPUT, NO_OUTPUT, NO_WEIGHT]),
    ],
)
def test_an_empty_kernel_cuts_the_network(empty, reasons):
    kernels = [np.ones((2, 2)) for _ in range(3)]
    kernels[empty] *= 0
    found = layer_collapse(chain(*kernels))
    assert list(found.values()) == reasons
    assert next(iter(found)).endswith("dense_0/kernel")


def test_a_sound_network_has_not_collapsed():
    assert layer_collapse(chain(np.ones((2, 3)), np.ones((3, 2)))) == {}


def test_a_shortcut_carries_the_signal_around_an_empty_layer():
    inputs = keras.Input((4,))
    hidden = layers.Dense(4, name="hidden")(inputs)
    outputs = layers.Dense(2, name="last")(layers.Add()([hidden, inputs]))
    model = keras.Model(inputs, outputs)
    model.get_layer("hidden").kernel.assign(np.zeros((4, 4)))
    report = effective_sparsity(model)
    assert report.collapsed == {model.get_layer("hidden").kernel.path: NO_WEIGHT}
    assert active(report) == [0, 8]


def brute_force(masks):
    """Weights on a path, found by walking every path of a chain of dense layers."""
    found = [np.zeros(mask.shape, bool) for mask in masks]

    def walk(layer, unit, edges):
        if layer == len(masks):
            for index, edge in enumerate(edges):
                found[index][edge] = True
            return
        for other in np.flatnonzero(masks[layer][unit]):
            walk(layer + 1, other, [*edges, (unit, other)])

    for unit in range(len(masks[0])):
        walk(0, unit, [])
    return [int(array.sum()) for array in found]


def test_open_sizes_need_an_input_shape():
    model = keras.Sequential([keras.Input((None, None, 1)), layers.Conv2D(2, 3)])
    with pytest.raises(ValueError, match="pass `input_shape`"):
        effective_sparsity(model)
    assert effective_sparsity(model, input_shape=(4, 4, 1)).disconnected == 0


@given(st.integers(0, 2**32 - 1), st.floats(0.1, 0.9))
@settings(max_examples=20, deadline=None)
def test_active_weights_are_those_on_a_path(seed, density):
    random = np.random.default_rng(seed)
    widths = [3, 4, 3, 2]
    masks = [random.random(shape) < density for shape in itertools.pairwise(widths)]
    model = chain(*(mask * random.normal(size=mask.shape) for mask in masks))
    assert active(effective_sparsity(model)) == brute_force(masks)


def network():
    keras.utils.set_random_seed(3)
    inputs = keras.Input((6, 6, 2))
    y = layers.Conv2D(4, 3, strides=2, padding="same", use_bias=False)(inputs)
    y = layers.LeakyReLU()(layers.BatchNormalization()(y))
    side = layers.SeparableConv2D(4, 3, padding="same", use_bias=False)(y)
    y = layers.Concatenate()([y, layers.DepthwiseConv2D(2, padding="same", use_bias=False)(side)])
    y = layers.Conv2D(4, 2, groups=2, padding="same", use_bias=False)(layers.MaxPooling2D(2)(y))
    y = layers.Conv2DTranspose(3, 2, strides=2, use_bias=False)(y)
    y = layers.GlobalAveragePooling2D()(y)
    return keras.Model(inputs, layers.Dense(2, use_bias=False)(y))


def test_exactly_the_active_weights_move_the_outputs():
    # Without non-linearities and maxima the outputs are a polynomial of the weights: a weight
    # on a path changes them, for almost all values, and one on no path never does.
    model = network()
    random = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, layers.LeakyReLU):
            layer.negative_slope = 1.0
        for variable in layer.trainable_variables:
            if "kernel" in variable.name:
                keep = random.random(variable.shape) < 0.25
                variable.assign(keep * random.normal(size=variable.shape))
    pool = next(layer for layer in model.layers if isinstance(layer, layers.MaxPooling2D))
    pool.call = layers.AveragePooling2D(2).call
    report = effective_sparsity(model)
    assert report.untraced == {}
    x = random.normal(size=(4, 6, 6, 2)).astype("float32")
    expected = [moving_weights(model, variable, x) for variable in kernels_of(model)]
    assert active(report) == expected
    assert report.disconnected > 0


def kernels_of(model):
    return [variable for variable in model.trainable_variables if "kernel" in variable.name]


def moving_weights(model, variable, x):
    """How many weights of a kernel change the outputs when they are not what they are."""
    before = keras.ops.convert_to_numpy(model(x))
    value = np.array(keras.ops.convert_to_numpy(variable.value))
    count = 0
    for index in np.argwhere(value):
        changed = value.copy()
        changed[tuple(index)] *= 3
        variable.assign(changed)
        after = keras.ops.convert_to_numpy(model(x))
        count += not np.allclose(after, before, rtol=1e-5, atol=1e-12)
    variable.assign(value)
    return count


def test_taps_that_only_see_padding_are_dead():
    model = keras.Sequential([keras.Input((1, 1, 2)), layers.Conv2D(3, 3, padding="same")])
    assert active(effective_sparsity(model)) == [6]


def test_max_pooling_passes_every_value():
    model = keras.Sequential(
        [keras.Input((4, 4, 1)), layers.MaxPooling2D(), layers.Flatten(), layers.Dense(1)]
    )
    kernel = np.zeros((4, 1))
    kernel[2] = 1
    model.layers[-1].kernel.assign(kernel)
    assert active(effective_sparsity(model)) == [1]


def test_a_zero_gamma_stops_a_channel():
    model = keras.Sequential(
        [keras.Input((3,)), layers.Dense(2), layers.BatchNormalization(), layers.Dense(2)]
    )
    model.layers[1].gamma.assign([0.0, 1.0])
    assert active(effective_sparsity(model)) == [3, 2]


def test_a_dead_gate_stops_what_it_multiplies():
    inputs = keras.Input((2,))
    value, gate = layers.Dense(2, name="value")(inputs), layers.Dense(2, name="gate")(inputs)
    model = keras.Model(inputs, layers.Dense(1)(layers.Multiply()([value, gate])))
    model.get_layer("gate").kernel.assign([[0, 1], [0, 1]])
    assert active(effective_sparsity(model)) == [2, 2, 1]


def test_embeddings_and_nested_models_are_traced():
    inner = keras.Sequential([keras.Input((3, 4)), layers.Flatten(), layers.Dense(2, name="inner")])
    model = keras.Sequential(
        [keras.Input((3,), dtype="int32"), layers.Embedding(5, 4), inner, layers.Dense(1)]
    )
    embeddings = np.ones((5, 4))
    embeddings[:, 1] = 0
    model.layers[0].embeddings.assign(embeddings)
    inner.layers[-1].kernel.assign(np.eye(12)[:, :2])  # features 0 and 1 of the first token
    report = effective_sparsity(model)
    assert report.untraced == {}
    assert active(report) == [5, 1, 1]


def test_operations_that_are_no_layers_are_traced():
    inputs = keras.Input((2,))
    y = keras.ops.relu(layers.Dense(3, name="a")(inputs)) + layers.Dense(3, name="b")(inputs)
    y = keras.ops.reshape(y, (-1, 3)) + 1.0
    model = keras.Model(inputs, layers.Dense(1)(y))
    model.layers[-1].kernel.assign([[1], [0], [0]])
    report = effective_sparsity(model)
    assert report.untraced == {}
    assert active(report) == [2, 2, 1]


def test_layers_that_cannot_be_traced_are_named_and_connect_everything():
    inputs = keras.Input((4, 3))
    y = layers.LSTM(2, name="memory")(layers.Dense(3, name="first")(inputs))
    model = keras.Model(inputs, layers.Dense(2)(y))
    model.get_layer("first").kernel.assign(np.diag([1.0, 0.0, 0.0]))
    report = effective_sparsity(model)
    assert list(report.untraced) == ["memory"]
    assert active(report) == [1, 3 * 8, 2 * 8, 4]
    assert "Not traced: memory: LSTM" in str(report)
    model.get_layer("first").kernel.assign(np.zeros((3, 3)))
    assert list(layer_collapse(model).values()) == [NO_WEIGHT, NO_INPUT, NO_INPUT, NO_INPUT]


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.first, self.second = layers.Dense(3, name="first"), layers.Dense(2, name="second")
        self.spare = layers.Dense(2, name="spare")

    def build(self, shape):
        self.spare.build((None, 3))

    def call(self, inputs):
        hidden = self.first(inputs)
        return self.second(hidden / 2)


def test_code_between_layers_is_named_and_an_unused_layer_is_dead():
    model = Subclassed()
    model(np.ones((1, 4)))
    report = effective_sparsity(model, input_shape=(4,))
    assert sorted(path.split("/")[-1] for path in report.untraced) == ["first", "second"]
    assert list(report.collapsed.values()) == [NOT_CALLED]
    assert sorted(active(report)) == [0, 6, 12]


def test_masks_stand_in_for_the_zeros():
    model = chain(np.ones((2, 2)), np.ones((2, 1)))
    path = model.layers[1].kernel.path
    report = effective_sparsity(model, masks={path: [[True], [False]]})
    assert active(report) == [2, 1]
    with pytest.raises(ValueError, match=r"Received: path='nothing'"):
        effective_sparsity(model, masks={"nothing": [True]})
    with pytest.raises(ValueError, match=r"mask of shape \(2,\)"):
        layer_collapse(model, masks={path: [True, False]})


def test_mixed_precision_and_deep_networks_neither_lose_nor_overflow():
    keras.utils.set_random_seed(0)
    inputs = y = keras.Input((64,))
    for index in range(30):
        y = layers.Dense(64, dtype="mixed_float16" if index % 2 else "float32")(y)
    model = keras.Model(inputs, y)
    report = effective_sparsity(model)
    assert (report.disconnected, report.untraced) == (0, {})


def test_the_model_stays_as_it_is():
    model = chain(np.ones((2, 2)), np.ones((2, 1)))
    before = model.get_weights()
    call = keras.layers.Layer.__call__
    effective_sparsity(model)
    assert keras.layers.Layer.__call__ is call
    assert [layer.activation for layer in model.layers] == [keras.activations.relu] * 2
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


def test_random_pruning_far_enough_disconnects():
    keras.utils.set_random_seed(0)
    model = chain(np.ones((20, 30)), np.ones((30, 30)), np.ones((30, 3)))
    prune(model, 0.95, criterion="random", seed=0)
    report = effective_sparsity(model)
    assert report.sparsity == pytest.approx(0.95, abs=0.01)
    assert report.effective_sparsity > report.sparsity
