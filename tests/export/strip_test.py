import keras
import numpy as np
import pytest

from keras_prune.callbacks import PruneCallback
from keras_prune.export.strip import strip
from keras_prune.layers import ChannelScale, ClusteredConv2D
from keras_prune.one_shot import prune
from keras_prune.pruner import Pruner
from tests.small_models import kernels, mlp, toy_data, zeros_of


def outputs(model, x):
    return keras.ops.convert_to_numpy(model(x))


@pytest.mark.all_backends
def test_copy_has_the_outputs_and_zeros_and_no_masks():
    model, (x, _) = mlp(), toy_data()
    with Pruner(0.8).attach(model, total_steps=1, initial_step=1):
        copy = strip(model)
        assert all(variable.constraint is None for variable in copy.trainable_variables)
        assert any(variable.constraint for variable in model.trainable_variables)
    np.testing.assert_array_equal(outputs(copy, x), outputs(model, x))
    assert [zero.sum() for zero in zeros_of(copy)] == [102, 38]
    copy.layers[0].kernel.assign(np.ones((8, 16)))
    assert (kernels(model)[0] == 0.0).sum() == 102


@pytest.mark.all_backends
def test_layers_of_this_package_become_stock_layers():
    keras.utils.set_random_seed(0)
    scale = dict(gamma_initializer="random_normal")
    model = keras.Sequential(
        [
            keras.Input((6, 5, 3)),
            ClusteredConv2D(4, 3, counts=[2, 0, 3], name="clustered"),
            ChannelScale(name="scale", **scale),
            keras.layers.ReLU(),
            ChannelScale(axis=1, name="rows", **scale),
        ]
    )
    copy = strip(model)
    kinds = [keras.layers.Conv2D, keras.layers.Rescaling, keras.layers.ReLU, keras.layers.Rescaling]
    assert [type(layer) for layer in copy.layers] == kinds
    assert [layer.name for layer in copy.layers] == [layer.name for layer in model.layers]
    x = np.random.default_rng(0).normal(size=(3, 6, 5, 3)).astype("float32")
    np.testing.assert_allclose(outputs(copy, x), outputs(model, x), atol=1e-6)
    zeros = zeros_of(copy)[0]
    assert zeros[:, :, 1].all() and not zeros[:, :, ::2].any()


@pytest.mark.all_backends
def test_export_while_training_goes_on():
    copies = []

    class Export(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            copies.append(strip(self.model))

    model, (x, y) = mlp(), toy_data()
    model.fit(x, y, epochs=2, verbose=0, callbacks=[PruneCallback(0.8), Export()])
    np.testing.assert_allclose(outputs(copies[-1], x), outputs(model, x), rtol=1e-6)
    assert [zero.sum() for zero in zeros_of(model)] == [102, 38]


def test_nested_functional_model_with_shared_layer():
    shared = keras.layers.Dense(4)
    nested = keras.Sequential([keras.Input((4,)), keras.layers.Dense(4), shared])
    inputs = keras.Input((4,))
    model = keras.Model(inputs, shared(nested(inputs)))
    prune(model, 0.5)
    copy = strip(model)
    x = np.random.default_rng(0).normal(size=(3, 4))
    np.testing.assert_array_equal(outputs(copy, x), outputs(model, x))
    assert len(copy.weights) == len(model.weights) == 4


@keras.saving.register_keras_serializable(package="strip_test")
class Configured(keras.Model):
    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.dense = keras.layers.Dense(units)

    def call(self, inputs):
        return self.dense(inputs)

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class Opaque(keras.Model):
    def __init__(self, function):
        super().__init__()
        self.dense = function(4)

    def call(self, inputs):
        return self.dense(inputs)

    def get_config(self):
        raise NotImplementedError


def test_subclassed_models():
    x = np.ones((2, 3))
    model = Configured(4)
    model(x)
    prune(model, 0.5)
    copy = strip(model)
    assert copy is not model
    np.testing.assert_array_equal(outputs(copy, x), outputs(model, x))

    opaque = Opaque(keras.layers.Dense)
    opaque(x)
    assert strip(opaque) is opaque
    opaque.compile("sgd", "mse")
    with (
        Pruner().attach(opaque, total_steps=1),
        pytest.raises(ValueError, match="cannot be stripped while a pruner is attached"),
    ):
        strip(opaque)


def test_wrong_argument_gets_a_sentence():
    with pytest.raises(ValueError, match=r"Expected a `keras\.Model`\. Received: model=x"):
        strip("x")
