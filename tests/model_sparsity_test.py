import keras
import numpy as np
import pytest

from keras_prune.model_sparsity import sparsity
from keras_prune.one_shot import prune
from tests.small_models import mlp


@pytest.mark.all_backends
def test_zeros_are_counted_by_kernel_and_in_total():
    model = mlp()
    assert sparsity(model).total == 0.0
    prune(model, 0.75, filters="hidden")
    report = sparsity(model)
    assert report["mlp/hidden/kernel"] == 0.75
    assert report["mlp/logits/kernel"] == 0.0
    assert (report.size, report.zeros, report.total) == (176, 96, 96 / 176)
    assert "54.55%" in str(report)


def test_layers_that_pruning_skips_are_counted_too():
    model = keras.Sequential([keras.Input((4, 4, 2)), keras.layers.DepthwiseConv2D(2)])
    kernel = np.ones((2, 2, 2, 1))
    kernel[0, 0] = 0.0
    model.set_weights([kernel, np.zeros(2)])
    assert sparsity(model).total == 0.25


def test_errors():
    with pytest.raises(KeyError, match="nowhere"):
        sparsity(mlp())["nowhere"]
    with pytest.raises(ValueError, match=r"Expected a `keras\.Model`\. Received: model=3"):
        sparsity(3)
