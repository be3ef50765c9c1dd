import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_prune.allocation import Threshold
from keras_prune.callbacks import PruneCallback
from keras_prune.criteria import APoZ
from keras_prune.layers import ChannelScale
from keras_prune.model_cost import cost
from keras_prune.one_shot import prune
from keras_prune.schedules import OneShot
from keras_prune.weights import find_weights
from tests.small_models import kernels

layers = keras.layers
pytestmark = pytest.mark.all_backends


def lecture():
    """Three filters that hand their channel on, and maps with (5,6), (5,7), (6,8) zeros."""
    maps = np.ones((2, 16, 3), "float32")
    for example, zeros in enumerate([(5, 5, 6), (6, 7, 8)]):
        for channel, count in enumerate(zeros):
            maps[example, :count, channel] = -1.0 * (channel + 1)  # a ReLU makes these zero
    model = keras.Sequential(
        [
            keras.Input((4, 4, 3)),
            layers.Conv2D(3, 1, activation="relu", name="maps"),
            layers.MaxPooling2D(4),
            layers.Flatten(),
            layers.Dense(2, name="logits"),
        ]
    )
    model.get_layer("maps").set_weights([np.eye(3).reshape(1, 1, 3, 3), np.zeros(3)])
    return model, maps.reshape(2, 4, 4, 3)


def unit_scores(criterion, model, data):
    """One array (outputs,) for each kernel that can be scored."""
    weights = find_weights(model)
    left_alone = criterion.skip(model, weights, data)
    weights = [weight for weight in weights if id(weight) not in left_alone]
    scores = criterion.scores(weights, criterion.probe(model, data))
    views = [
        w.to_view(s).reshape(w.view_shape[0], -1) for w, s in zip(weights, scores, strict=True)
    ]
    assert all((view == view[:, :1]).all() for view in views)
    return [view[:, 0] for view in views]


def convolutional(activation="relu", **convolution):
    keras.utils.set_random_seed(0)
    return keras.Sequential(
        [
            keras.Input((6, 6, 2)),
            layers.Conv2D(4, 3, name="first", **convolution),
            layers.BatchNormalization(),
            layers.Activation(activation),
            layers.MaxPooling2D(2),
            layers.DepthwiseConv2D(2, depth_multiplier=2, name="depthwise"),
            layers.ReLU(),
            layers.Flatten(),
            layers.Dense(5, name="hidden"),
            ChannelScale(),
            layers.ReLU(),
            layers.Dense(3, name="logits"),
        ]
    )


def noise(rows, seed=0, shape=(6, 6, 2)):
    return np.random.default_rng(seed).normal(size=(rows, *shape)).astype("float32")


def test_zeros_of_the_lecture():
    model, x = lecture()
    (scores,) = unit_scores(APoZ(), model, x)
    np.testing.assert_array_equal(1.0 - scores, np.float32([11 / 32, 12 / 32, 14 / 32]))
    prune(model, 1 / 3, criterion="apoz", granularity="filter", data=x)
    np.testing.assert_array_equal(kernels(model)[0].reshape(3, 3), np.diag([1.0, 1.0, 0.0]))


def test_more_than_a_standard_deviation_above_the_mean_goes():
    """Mean 37/96, standard deviation 0.039: the bound is 0.4244, and 14/32 is above it."""
    model, x = lecture()
    rule = Threshold(-1.0, "mean", of="scores")
    report = prune(model, 0.99, "apoz", "filter", rule, data=x)
    np.testing.assert_array_equal(kernels(model)[0].reshape(3, 3), np.diag([1.0, 1.0, 0.0]))
    assert report.reached and report.pruned[0].asked == pytest.approx(1 / 3)
    assert [weight.skip for weight in report.skipped] == [
        "no non-linearity follows it alone, so nothing makes it zero"
    ]
    model, x = lecture()
    prune(model, 0.99, "apoz", "filter", Threshold(-1.4, "mean", of="scores"), data=x)
    np.testing.assert_array_equal(kernels(model)[0].reshape(3, 3), np.eye(3))


@given(rows=st.integers(1, 11), batch_size=st.integers(1, 6))
@settings(max_examples=10, deadline=None)
def test_batches_do_not_matter(rows, batch_size):
    model, x = lecture()[0], noise(rows, shape=(4, 4, 3))
    (whole,) = unit_scores(APoZ(batch_size=rows), model, x)
    (cut,) = unit_scores(APoZ(batch_size=batch_size), model, (x, None))
    batches = [(x[i : i + batch_size], None) for i in range(0, rows, batch_size)]
    (stored,) = unit_scores(APoZ(), model, batches)
    np.testing.assert_array_equal(whole, cut)
    np.testing.assert_array_equal(whole, stored)
    expected = (np.maximum(x, 0.0) != 0.0).reshape(-1, 3).mean(axis=0)
    np.testing.assert_allclose(whole, expected, rtol=1e-6)


def test_the_mean_of_a_layer_is_its_activation_density():
    model, x = convolutional(), noise(7)
    report = cost(model, data=x)
    weights = [weight for weight in find_weights(model, ["first", "depthwise", "hidden"])]
    counts = APoZ(batch_size=3).probe(model, x)(weights[:3])
    for layer, (zeros, total) in zip(report.layers, counts, strict=False):
        assert total * zeros.size == layer.activations
        assert total * zeros.size - zeros.sum() == layer.nonzero_activations
        assert 0 < zeros.sum() < total * zeros.size


def test_units_of_a_depthwise_layer_are_inputs_times_multiplier():
    model, x = convolutional(), noise(9)
    activations = keras.Model(model.inputs[0], model.layers[5].output)(x)
    expected = (keras.ops.convert_to_numpy(activations) != 0.0).reshape(-1, 8).mean(axis=0)
    weights = find_weights(model, ["depthwise"])
    (weight,) = [weight for weight in weights if weight.skip is None]
    (scores,) = APoZ().scores([weight], APoZ().probe(model, x))
    assert scores.shape == (2, 2, 4, 2)
    np.testing.assert_allclose(scores[0, 0].ravel(), expected, rtol=1e-6)


def test_small_numbers_count_as_zeros_where_asked():
    model, x = lecture()
    leaky = keras.Sequential(
        [keras.Input((4, 4, 3)), layers.Conv2D(3, 1), layers.LeakyReLU(0.01), *model.layers[1:]]
    )
    leaky.layers[0].set_weights([np.eye(3).reshape(1, 1, 3, 3), np.zeros(3)])
    with pytest.warns(UserWarning, match=r"(?s)No activation of a layer is zero.*eps=0\.0 for"):
        unit_scores(APoZ(), leaky, x)
    (scores,) = unit_scores(APoZ(eps=0.025), leaky, x)  # 0.01 and 0.02 pass for zeros, 0.03 not
    np.testing.assert_allclose(1.0 - scores, [11 / 32, 12 / 32, 0.0], rtol=1e-6)


def test_layers_that_are_called_twice_count_both_calls():
    class Twice(keras.Model):
        def __init__(self):
            super().__init__()
            self.dense, self.relu, self.logits = layers.Dense(4), layers.ReLU(), layers.Dense(2)

        def call(self, inputs):
            return self.logits(self.relu(self.dense(self.relu(self.dense(inputs)))))

    keras.utils.set_random_seed(1)
    model, x = Twice(), noise(6, shape=(4,))
    model(x)
    first = keras.ops.convert_to_numpy(model.relu(model.dense(x)))
    second = keras.ops.convert_to_numpy(model.relu(model.dense(first)))
    (scores,) = unit_scores(APoZ(), model, x)
    np.testing.assert_allclose(scores, (np.stack([first, second]) != 0.0).mean(axis=(0, 1)))


def test_what_cannot_be_counted_is_skipped_with_its_reason():
    inputs = keras.Input((5, 4))
    hidden = layers.Dense(6, activation="relu", name="hidden")(inputs)
    y = layers.GRU(3, return_sequences=True, name="gru")(hidden)
    linear = layers.Dense(6, name="linear")(y)
    y = layers.Dense(2, activation="relu", name="outputs")(layers.Add()([linear, hidden]))
    model, x = keras.Model(inputs, y), noise(3, shape=(5, 4))
    report = prune(model, 0.5, criterion="apoz", data=x)
    reasons = {weight.path.split("/")[-2]: weight.skip for weight in report.weights}
    assert reasons["hidden"] is None
    assert "not the units" in reasons["gru_cell"]
    assert "no non-linearity" in reasons["linear"]
    assert "model's outputs" in reasons["outputs"]
    # The outputs are pruned where nothing else can be.
    single = keras.Sequential([keras.Input((4,)), layers.Dense(6, activation="relu")])
    assert prune(single, 0.5, "apoz", "filter", data=noise(9, shape=(4,))).reached
    with pytest.raises(ValueError, match=r"no weight that can be pruned.*no non-linearity"):
        prune(keras.Sequential([keras.Input((4,)), layers.Dense(6)]), 0.5, "apoz", data=x[:, 0])


def test_in_training():
    model, x = convolutional(), noise(32)
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    y = np.random.default_rng(0).integers(0, 3, 32)
    rule = Threshold(-0.5, "mean", of="scores")
    callback = PruneCallback(0.9, "apoz", "filter", rule, OneShot(0.5), data=(x, y))
    model.fit(x, y, epochs=2, batch_size=8, verbose=0, callbacks=[callback])
    assert callback.report.reached and 0.0 < callback.report.achieved < 0.6


def test_bad_arguments_get_a_sentence():
    model, _ = lecture()
    with pytest.raises(ValueError, match=r"labels are not read\. Received: data=None"):
        prune(model, 0.5, criterion="apoz")
    with pytest.raises(ValueError, match=r"holds no example\. Received: no batch"):
        prune(model, 0.5, criterion="apoz", data=[])
    with pytest.raises(ValueError, match=r"finite number >= 0\. Received: eps=-1"):
        APoZ(eps=-1)
    with pytest.raises(ValueError, match=r"Received: batch_size=0"):
        APoZ(batch_size=0)
    with pytest.raises(ValueError, match=r"cannot be counted by unit.*Received: .*/kernel"):
        gru = keras.Sequential([keras.Input((5, 4)), layers.GRU(3)])
        APoZ().scores(find_weights(gru)[:1], APoZ().probe(gru, noise(2, shape=(5, 4))))
