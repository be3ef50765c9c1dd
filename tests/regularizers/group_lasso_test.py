import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_prune import backend
from keras_prune.granularity import Block, Channel, Filter, Kernel, Layer, Shape, Vector
from keras_prune.regularizers import GroupLasso, LossPenalty
from keras_prune.regularizers.units import Units
from keras_prune.weights import find_weights
from tests.small_models import mlp, toy_data

pytestmark = pytest.mark.all_backends


def value_and_gradient(penalty, kernel):
    def total(values, batch):
        return penalty(values[0])

    kernel = np.asarray(kernel, "float32")
    (gradient,) = backend.gradient_function(total, 1)([keras.ops.convert_to_tensor(kernel)], None)
    value = keras.ops.convert_to_numpy(penalty(keras.ops.convert_to_tensor(kernel)))
    return float(value), keras.ops.convert_to_numpy(gradient)


def test_norm_of_three_and_four_is_five():
    kernel = [[3.0, 1.0], [-4.0, 0.0]]  # (2 inputs, 2 units)
    penalty = GroupLasso("filter", 0.5, scale_by_size=False)
    value, gradient = value_and_gradient(penalty, kernel)
    assert value == pytest.approx(0.5 * (5.0 + 1.0))
    # The gradient is w / ||w|| of each unit.
    np.testing.assert_allclose(gradient, [[0.3, 0.5], [-0.4, 0.0]], atol=1e-6)
    scaled, _ = value_and_gradient(GroupLasso("filter", 0.5), kernel)
    assert scaled == pytest.approx(value * np.sqrt(2.0))


def test_the_gradient_at_a_unit_of_zeros_is_zero():
    for granularity in ("filter", Block(2, 2), "unstructured"):
        kernel = np.zeros((4, 4))
        kernel[0, 3] = 2.0
        _, gradient = value_and_gradient(GroupLasso(granularity, 1.0, False), kernel)
        assert gradient[0, 3] == pytest.approx(1.0)
        assert np.abs(gradient).sum() == pytest.approx(1.0)


def test_unstructured_is_the_l1_penalty():
    kernel = np.random.default_rng(0).normal(size=(3, 3, 2, 4))
    ours = value_and_gradient(GroupLasso("unstructured", 0.1), kernel)
    keras_own = value_and_gradient(keras.regularizers.L1(0.1), kernel)
    assert ours[0] == pytest.approx(keras_own[0], rel=1e-5)
    np.testing.assert_allclose(ours[1], keras_own[1], rtol=1e-5)


# Sums over these axes of a convolution's kernel [kh, kw, in, out].
AXES = {
    "filter": (Filter(), (0, 1, 2)),
    "channel": (Channel(), (0, 1, 3)),
    "shape": (Shape(), (3,)),
    "kernel": (Kernel(), (0, 1)),
    "row vector": (Vector(), (1,)),
    "column vector": (Vector("column"), (0,)),
    "layer": (Layer(), (0, 1, 2, 3)),
}


@pytest.mark.parametrize("name", AXES)
def test_units_of_a_convolution(name):
    granularity, axes = AXES[name]
    kernel = np.random.default_rng(0).normal(size=(3, 2, 4, 5)).astype("float32")
    norms = np.sqrt(np.sum(kernel**2, axis=axes))
    size = kernel.size / norms.size
    value, _ = value_and_gradient(GroupLasso(granularity, 0.1), kernel)
    assert value == pytest.approx(0.1 * np.sqrt(size) * norms.sum(), rel=1e-5)


def test_blocks_at_the_edge_count_by_their_own_size():
    kernel = np.ones((5, 1), "float32")  # 5 inputs of one unit: blocks of 4 and of 1
    value, _ = value_and_gradient(GroupLasso(Block(1, 4), 1.0), kernel)
    assert value == pytest.approx(2.0 * 2.0 + 1.0)


@given(seed=st.integers(0, 1000), r=st.integers(1, 3), c=st.integers(1, 3))
@settings(max_examples=15, deadline=None)
def test_units_add_up_to_the_weight(seed, r, c):
    model = mlp()
    (weight, _) = find_weights(model)
    value = np.random.default_rng(seed).normal(size=weight.shape).astype("float32")
    for granularity in (Block(r, c), Filter(), Channel(), Layer()):
        units = Units(weight, granularity)
        norms = keras.ops.convert_to_numpy(units.norms(keras.ops.convert_to_tensor(value)))
        assert np.sum(norms.astype("float64") ** 2) == pytest.approx(np.sum(value**2), rel=1e-4)
        sizes = np.broadcast_to(units.sizes.reshape(-1), norms.size if norms.size > 1 else 1)
        assert sizes.sum() == weight.size
        spread = keras.ops.convert_to_numpy(units.spread(keras.ops.convert_to_tensor(norms)))
        assert np.broadcast_to(spread, weight.shape).shape == weight.shape


def test_attached_it_knows_grouped_and_transposed_convolutions():
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((6, 6, 4)),
            layers.Conv2DTranspose(3, 2, name="transposed"),  # kernel [kh, kw, out, in]
            layers.Conv2D(6, 2, groups=3, name="grouped"),  # kernel [kh, kw, in / 3, out]
            layers.Flatten(),
            layers.Dense(2, name="logits"),
        ]
    )
    x = np.ones((1, 6, 6, 4), "float32")
    for name, norm_axes in (("transposed", (0, 1, 3)), ("grouped", None)):
        kernel = keras.ops.convert_to_numpy(model.get_layer(name).kernel)
        if norm_axes:
            norms = np.sqrt(np.sum(kernel**2, axis=norm_axes))
            regularizer = GroupLasso("filter", 1.0, scale_by_size=False)
        else:  # a channel feeds the two outputs of its own group
            groups = kernel.reshape(2, 2, 1, 3, 2)
            norms = np.sqrt(np.sum(groups**2, axis=(0, 1, 4)))
            regularizer = GroupLasso("channel", 1.0, scale_by_size=False)
        with LossPenalty(regularizer).attach(model, filters=name):
            model(x)
            (loss,) = model.losses
        assert float(keras.ops.convert_to_numpy(loss)) == pytest.approx(norms.sum(), rel=1e-5)


def test_it_is_saved_with_the_layer_that_has_it(tmp_path):
    model = keras.Sequential(
        [
            keras.Input((8,)),
            keras.layers.Dense(4, kernel_regularizer=GroupLasso(Block(1, 4), 0.1, False)),
        ]
    )
    model.compile("sgd", "mse")
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras").layers[0].kernel_regularizer
    assert isinstance(loaded, GroupLasso)
    assert loaded.get_config() == model.layers[0].kernel_regularizer.get_config()
    assert loaded.granularity == Block(1, 4)


def test_group_lasso_on_a_layer_empties_units_in_fit():
    keras.utils.set_random_seed(0)
    regularizer = GroupLasso("filter", 0.2)
    model = keras.Sequential(
        [keras.Input((8,)), keras.layers.Dense(16, "relu", kernel_regularizer=regularizer)]
        + [keras.layers.Dense(3)]
    )
    model.compile(
        keras.optimizers.SGD(0.05), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    before = np.linalg.norm(keras.ops.convert_to_numpy(model.layers[0].kernel))
    model.fit(*toy_data(), epochs=20, verbose=0)
    after = np.linalg.norm(keras.ops.convert_to_numpy(model.layers[0].kernel))
    assert after < 0.5 * before


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (("2:4",), "compete in windows.*Received: granularity='2:4'"),
        (("filter", -1.0), "finite number >= 0. Received: strength=-1.0"),
        (("cube",), "Received: granularity='cube'"),
    ],
)
def test_wrong_arguments_get_a_sentence(arguments, sentence):
    with pytest.raises(ValueError, match=sentence):
        GroupLasso(*arguments)


def test_a_tensor_without_such_units_gets_a_sentence():
    with pytest.raises(ValueError, match=r"two axes or more.*Received: shape"):
        GroupLasso("filter")(keras.ops.ones((3,)))
    with pytest.raises(ValueError, match=r"no window.*Received: shape=\(3, 2\)"):
        GroupLasso("kernel")(keras.ops.ones((3, 2)))
