"""Every family of `keras.applications` does the same when half of its filters are cut."""

import keras
import numpy as np
import pytest

import keras_prune as kp
from tests.surgery.graphs import smaller

pytestmark = pytest.mark.filterwarnings("ignore:Pruning has cut the model:UserWarning")

# The smallest of each family, its image size, and the part of its MACs that may be left.
FAMILIES = {
    "VGG16": (32, 0.3),
    "ResNet50": (32, 0.3),
    "ResNet50V2": (32, 0.3),
    "MobileNet": (32, 0.3),
    "MobileNetV2": (32, 0.3),
    "MobileNetV3Small": (32, 0.35),
    "EfficientNetB0": (32, 0.3),
    "EfficientNetV2B0": (32, 0.3),
    "DenseNet121": (32, 0.3),
    "InceptionV3": (75, 0.3),
    "InceptionResNetV2": (75, 0.45),  # streams begin as concatenations of layers that choose alone
    "Xception": (71, 0.3),
    "NASNetMobile": (32, 0.3),
    "ConvNeXtTiny": (32, 0.6),  # the stream stays: normalization over all of its features
}


@pytest.mark.parametrize("name", FAMILIES)
def test_half_of_the_filters_go_and_nothing_changes(name):
    size, left = FAMILIES[name]
    keras.utils.set_random_seed(0)
    model = getattr(keras.applications, name)(
        weights=None, include_top=False, input_shape=(size, size, 3)
    )
    generator = np.random.default_rng(0)
    for variable in model.variables:
        if variable.name in ("beta", "bias", "moving_mean"):
            variable.assign(generator.normal(size=variable.shape) * 0.1)
    kp.prune(model, 0.5, granularity="filter")
    x = generator.uniform(0.0, 1.0, (1, size, size, 3)).astype("float32")
    small = smaller(model, x)
    assert kp.cost(small).macs < left * kp.cost(model).macs
    keras.backend.clear_session()
