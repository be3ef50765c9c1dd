import keras
import numpy as np
import pytest

from keras_prune.callbacks import RegularizeCallback
from keras_prune.layers import ChannelScale
from keras_prune.one_shot import prune
from keras_prune.regularizers import SlimmingPenalty
from tests.small_models import mlp, toy_data

layers = keras.layers
pytestmark = pytest.mark.all_backends


def scaled(gamma, name="scale"):
    """Nothing but zeros come in, so the penalty alone moves the factors."""
    model = keras.Sequential(
        [
            keras.Input((2,)),
            layers.Dense(len(gamma), use_bias=False, name="units"),
            ChannelScale(name=name),
            layers.Dense(1, use_bias=False),
        ]
    )
    model.compile(keras.optimizers.SGD(0.5), "mse")
    model.get_layer(name).gamma.assign(gamma)
    return model


def numpy_of(variable):
    return keras.ops.convert_to_numpy(variable)


def test_one_step_goes_along_the_sign():
    model = scaled([1.0, -2.0, 0.25, 0.0])
    before = [numpy_of(layer.kernel) for layer in (model.layers[0], model.layers[2])]
    zeros = np.zeros((4, 2)), np.zeros((4, 1))
    callback = RegularizeCallback(SlimmingPenalty(0.2))
    model.fit(*zeros, epochs=1, verbose=0, callbacks=[callback])
    np.testing.assert_allclose(
        numpy_of(model.get_layer("scale").gamma), [0.9, -1.9, 0.15, 0.0], atol=1e-7
    )
    for kernel, layer in zip(before, (model.layers[0], model.layers[2]), strict=True):
        np.testing.assert_array_equal(numpy_of(layer.kernel), kernel)
    # It is gone with the training.
    assert model.get_layer("scale").gamma.regularizer is None
    model.fit(*zeros, epochs=1, verbose=0)
    np.testing.assert_allclose(
        numpy_of(model.get_layer("scale").gamma), [0.9, -1.9, 0.15, 0.0], atol=1e-7
    )


def test_the_loss_has_the_norm_of_the_factors_once_each_and_ones_own_regularizer():
    shared = layers.BatchNormalization(gamma_regularizer=keras.regularizers.L2(1.0))
    inputs = keras.Input((3,))
    y = layers.Add()([shared(layers.Dense(2)(inputs)), shared(layers.Dense(2)(inputs))])
    model = keras.Model(inputs, layers.Dense(1)(y))
    shared.gamma.assign([3.0, -4.0])
    with SlimmingPenalty(0.1).attach(model) as penalty:
        assert len(penalty.weights) == 2
        model(np.ones((1, 3), "float32"))
        (loss,) = model.losses
        assert float(numpy_of(loss)) == pytest.approx(0.1 * 7.0 + 25.0)
    assert isinstance(shared.gamma.regularizer, keras.regularizers.L2)


def test_factors_of_inputs_that_say_nothing_shrink_and_their_filters_go():
    """Eight units hand an input on each, and the targets need two of them."""
    keras.utils.set_random_seed(0)
    x = np.random.default_rng(0).normal(size=(256, 8)).astype("float32")
    y = (2.0 * x[:, 2] - x[:, 5])[:, None]
    model = keras.Sequential(
        [
            keras.Input((8,)),
            layers.Dense(8, use_bias=False, kernel_constraint=lambda w: w * eye, name="units"),
            ChannelScale(name="scale"),
            layers.Dense(1, use_bias=False, trainable=False, name="sum"),
        ]
    )
    eye = np.eye(8, dtype="float32")
    model.get_layer("units").kernel.assign(eye)
    model.get_layer("sum").kernel.assign(np.ones((8, 1)))
    model.compile(keras.optimizers.SGD(0.05), "mse")
    penalty = RegularizeCallback(SlimmingPenalty(0.1))
    model.fit(x, y, batch_size=64, epochs=20, verbose=0, callbacks=[penalty])
    gamma = np.abs(numpy_of(model.get_layer("scale").gamma))
    assert set(np.argsort(gamma)[-2:]) == {2, 5}
    assert np.sort(gamma)[:6].max() < 0.5 * np.sort(gamma)[-2:].min()
    prune(model, 0.75, "batch_norm_scale", "filter")
    kernel = numpy_of(model.get_layer("units").kernel)
    assert np.flatnonzero(kernel.any(axis=0)).tolist() == [2, 5]


def test_configuration_filters_and_errors():
    penalty = SlimmingPenalty(0.5)
    config = keras.saving.serialize_keras_object(penalty)
    assert keras.saving.deserialize_keras_object(config) == penalty
    assert repr(SlimmingPenalty()) == "SlimmingPenalty(0.0001)"
    with pytest.raises(ValueError, match=r"finite number >= 0\. Received: strength=-1"):
        SlimmingPenalty(-1)
    model = mlp()
    with pytest.raises(ValueError, match=r"no weight that can be pruned\. Received: .*hidden"):
        model.fit(*toy_data(), verbose=0, callbacks=[RegularizeCallback(SlimmingPenalty())])
    assert model.get_layer("hidden").kernel.regularizer is None
    model = scaled([1.0, 1.0])
    with pytest.raises(ValueError, match=r"left out by `filters`"):
        SlimmingPenalty().attach(model, filters="nothing")
