"""The data and networks of the joint pruning benchmark."""

import keras
import numpy as np
import pytest

from benchmarks.joint_networks import NETWORKS, Crops, Distillation, accuracy, middle

SIZE = 24


def test_crops_are_windows_of_their_images_with_their_labels():
    x = np.arange(5 * 32 * 32 * 3).reshape(5, 32, 32, 3)
    crops = Crops(x, np.arange(5), SIZE, mirrored=True, batch=2, seed=2)
    assert len(crops) == 3
    seen, turned = [], 0
    for images, labels in (crops[index] for index in range(3)):
        assert images.shape[1:] == (SIZE, SIZE, 3) and labels.shape == (len(images), 1)
        for image, label in zip(images, labels[:, 0], strict=True):
            upright = image if image[0, 0, 0] < image[0, 1, 0] else image[:, ::-1]
            turned += upright is not image
            top, left = np.argwhere(x[label, :, :, 0] == upright[0, 0, 0])[0]
            np.testing.assert_array_equal(upright, x[label, top : top + SIZE, left : left + SIZE])
            seen.append(label)
    assert sorted(seen) == [0, 1, 2, 3, 4] and 0 < turned < 5
    np.testing.assert_array_equal(middle(x, SIZE), x[:, 4:28, 4:28])


def test_crops_that_are_not_mirrored_carry_what_a_teacher_says():
    inputs = keras.Input((4, 4, 1))
    teacher = keras.Model(inputs, keras.layers.Flatten()(inputs))
    x = np.arange(3 * 36, dtype="float32").reshape(3, 6, 6, 1)
    crops = Crops(x, np.arange(3), 4, mirrored=False, batch=3, seed=1, teacher=teacher)
    images, wanted = crops[0]
    assert (images[:, :, 1:] > images[:, :, :-1]).all()
    np.testing.assert_array_equal(wanted[:, 1:], images.reshape(3, 16))
    assert sorted(wanted[:, 0]) == [0, 1, 2]


def test_distillation_is_its_formula():
    random = np.random.default_rng(0)
    logits, teacher = random.normal(size=(2, 6, 10)).astype("float32")
    labels = random.integers(0, 10, 6)

    def softmax(values):
        powers = np.exp(values)
        return powers / powers.sum(-1, keepdims=True)

    hard = -np.log(softmax(logits)[np.arange(6), labels])
    soft = -(softmax(teacher / 3) * np.log(softmax(logits / 3))).sum(-1)
    loss = Distillation(0.7, 3.0)
    both = np.concatenate([labels[:, None].astype("float32"), teacher], axis=1)
    assert float(loss(both, logits)) == pytest.approx(np.mean(0.3 * hard + 0.7 * 9 * soft), 1e-5)
    for alone in (labels, labels[:, None]):
        assert float(loss(alone, logits)) == pytest.approx(np.mean(hard), 1e-5)
    for wanted in (both, labels, labels[:, None]):
        hits = keras.ops.convert_to_numpy(accuracy(wanted, logits))
        np.testing.assert_array_equal(hits, logits.argmax(-1) == labels)


def test_networks_are_those_of_the_paper():
    weights = {
        name: sum(int(np.prod(layer.kernel.shape)) for layer in layers)
        for name, layers in (
            (name, [x for x in network.make().layers if hasattr(x, "kernel")])
            for name, network in NETWORKS.items()
        )
    }
    assert weights == {"MLP-3": 266_200, "Lenet-4": 430_500, "ConvNet-5": 1_067_584}
    for network in NETWORKS.values():
        names = {layer.name for layer in network.make().layers if hasattr(layer, "kernel")}
        assert names == set(network.sparsities)
