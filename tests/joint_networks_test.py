"""The data and networks of the joint pruning benchmark."""

import numpy as np

from benchmarks.joint_networks import CROP, NETWORKS, Crops, middle


def test_crops_are_windows_of_their_images_with_their_labels():
    x = np.arange(5 * 32 * 32 * 3).reshape(5, 32, 32, 3)
    crops = Crops(x, np.arange(5), 2, seed=0)
    assert len(crops) == 3
    seen = []
    for images, labels in (crops[index] for index in range(3)):
        assert images.shape[1:] == (CROP, CROP, 3)
        for image, label in zip(images, labels, strict=True):
            upright = image if image[0, 0, 0] < image[0, 1, 0] else image[:, ::-1]
            top, left = np.argwhere(x[label, :, :, 0] == upright[0, 0, 0])[0]
            np.testing.assert_array_equal(upright, x[label, top : top + CROP, left : left + CROP])
            seen.append(label)
    assert sorted(seen) == [0, 1, 2, 3, 4]
    np.testing.assert_array_equal(middle(x), x[:, 4:28, 4:28])


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
