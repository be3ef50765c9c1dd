"""The figures printed in the papers follow from their layers' numbers."""

import itertools

import numpy as np
import pytest

from keras_prune.analysis.formulas import (
    activation_density,
    compression,
    convolution_costs,
    mac_density,
    memory_footprint,
    operation_densities,
    training_complexity,
)

# Han et al. 2015, table 4 (VGG-16): densities of the weights and of the activations, percent.
VGG_16_WEIGHTS = [58, 22, 34, 36, 53, 24, 42, 32, 27, 34, 35, 29, 36, 4, 4, 23]
VGG_16_PARAMS = [2, 37, 74, 148, 295, 590, 590, 1000, *[2000] * 5, 103000, 17000, 4000]
VGG_16_OPERATIONS = [0.2, 3.7, 1.8, 3.7, 1.8, 3.7, 3.7, 1.8, 3.7, 3.7, 0.925, 0.925, 0.925]
VGG_16_OPERATIONS += [0.206, 0.034, 0.008]  # in billions, as printed
VGG_16_ACTIVATIONS = [53, 89, 80, 81, 68, 70, 64, 51, 45, 34, 32, 29, 19, 38, 42, 100]


def vgg_16():
    """Weights and multiply-accumulates of each layer, at 224 x 224."""
    channels = [3, 64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512]
    maps = [224] * 2 + [112] * 2 + [56] * 3 + [28] * 3 + [14] * 3
    params = [9 * a * b for a, b in itertools.pairwise(channels)]
    macs = [n * size**2 for n, size in zip(params, maps, strict=True)]
    dense = [25088 * 4096, 4096 * 4096, 4096 * 1000]
    return np.array(params + dense), np.array(macs + dense)


def test_operations_of_vgg_16():
    weights = np.array(VGG_16_WEIGHTS) / 100
    inputs = np.array([100, *VGG_16_ACTIVATIONS[:-1]]) / 100
    left = 100 * operation_densities(weights, inputs)
    np.testing.assert_allclose(left[[7, 14, 15]], [20.48, 1.52, 9.66])
    others = np.delete(left, [7])
    printed = [58, 12, 30, 29, 43, 16, 29, 14, 15, 12, 9, 10, 1, 2, 10]
    assert others.round().astype(int).tolist() == printed
    params, macs = vgg_16()
    assert round(100 * mac_density(VGG_16_OPERATIONS, weights, inputs), 1) == 20.6
    assert round(100 * mac_density(macs, weights, inputs), 2) == 20.66
    # The rows' own sums, where the table prints 7.5 %.
    assert round(100 * float(VGG_16_PARAMS @ weights / np.sum(VGG_16_PARAMS)), 2) == 7.24
    assert round(100 * float(params @ weights / params.sum()), 2) == 7.61


def test_mlp_3():
    weights = np.array([0.10, 0.10, 0.20])
    assert round(100 * activation_density([300, 100, 10], [0.12, 0.24, 1.0]), 2) == 17.07
    # What is left of the MACs, as printed: pairs that were counted, not products of densities.
    pairs = mac_density([235.2, 30, 1], [0.0377, 0.0262, 0.0681], [1, 1, 1])
    assert round(100 * pairs, 2) == 3.65
    product = mac_density([235.2, 30, 1], weights, [0.191, 0.12, 0.24])
    assert round(100 * product, 2) == 1.84


CONVNET_5_WEIGHTS = [0.7, 0.5, 0.4, 0.3, 0.5]
CONVNET_5_ACTIVATIONS = [0.506, 0.173, 0.099, 0.448, 1.0]


@pytest.mark.parametrize(
    "convolutions, percent",
    [
        ([0.69e6, 3.68e6], 27.73),  # the printed column, on maps that are pooled already
        ([2764800, 14745600], 31.0),
    ],
)
def test_convnet_5(convolutions, percent):
    macs = [*convolutions, 2304 * 384, 384 * 192, 192 * 10]
    inputs = [1.0, *CONVNET_5_ACTIVATIONS[:-1]]
    left = 100 * mac_density(macs, CONVNET_5_WEIGHTS, inputs)
    assert left == pytest.approx(percent, abs=0.06)


def test_activations_of_convnet_5_before_pooling():
    sizes = [24 * 24 * 64, 12 * 12 * 64, 384, 192, 10]
    assert round(100 * activation_density(sizes, CONVNET_5_ACTIVATIONS), 2) == 43.68


@pytest.mark.parametrize(
    "epochs, reductions, printed",
    [
        ([100, 210], [1, 6.0], 135.0),  # ResNet-18, CIFAR-10
        ([100, 70, 210], [1, 6.0, 23.2], 120.7),
        ([25, 210], [1, 5.1], 66.2),  # ResNet-18, CIFAR-100
        ([25, 60], [1, 4.7], 37.8),  # ResNet-18, TinyImageNet
        ([25, 210], [1, 5.3], 64.6),  # VGG-19, CIFAR-100
        ([100, 210], [1, 5.6], 137.5),  # VGG-19, CIFAR-10
        ([100, 70, 210], [1, 5.6, 27.4], 120.2),
    ],
)
def test_training_complexity(epochs, reductions, printed):
    assert round(training_complexity(epochs, reductions), 1) == printed


def test_figures_of_training_complexity_that_do_not_follow_from_the_rows_beside_them():
    """Foldy-Porto et al. 2020, as presented: three figures disagree with their own rows."""
    # "120.2" stands beside the first shrunk VGG-19 on CIFAR-10, and is the second one's.
    assert round(training_complexity([100, 210], [1, 5.6]), 1) == 137.5
    assert round(training_complexity([100, 70, 210], [1, 5.6, 27.4]), 1) == 120.2
    # A comparison prints 129.4 for that network: neither.
    # ResNet-18 on CIFAR-100 has 5.1x operations beside its channels, which give 4.74x.
    assert round(training_complexity([25, 210], [1, 4.74]), 1) == 69.3


VGG_19_CHANNELS = [64, 64, 128, 128, *[256] * 4, *[512] * 8]
VGG_19_MAPS = [32, 32, 16, 16, *[8] * 4, *[4] * 4, *[2] * 4]
RESNET_18_CHANNELS = [*[64] * 5, *[128] * 4, *[256] * 4, *[512] * 4]
RESNET_18_MAPS = [*[32] * 5, *[16] * 4, *[8] * 4, *[4] * 4]


@pytest.mark.parametrize(
    "filters, maps, last, params, macs",
    [
        (VGG_19_CHANNELS, VGG_19_MAPS, 512 * 10, 20024000, 398136320),
        (RESNET_18_CHANNELS, RESNET_18_MAPS, 512 * 10, 10992320, 549131264),
    ],
)
def test_networks_before_shrinking_follow_from_their_channels(filters, maps, last, params, macs):
    weights, products = convolution_costs(filters, maps)
    assert len(weights) == (16 if filters is VGG_19_CHANNELS else 17)
    assert weights.sum() + last == params
    assert products.sum() + last == macs


def test_half_of_all_channels_is_a_quarter_of_the_work():
    params, macs = convolution_costs(VGG_19_CHANNELS, VGG_19_MAPS)
    halves = [n // 2 for n in VGG_19_CHANNELS]
    less, fewer = convolution_costs(halves, VGG_19_MAPS)
    assert compression(params[1:].sum(), less[1:].sum()) == 4.0
    assert compression(macs[1:].sum(), fewer[1:].sum()) == 4.0
    assert less[0] == params[0] / 2  # its input keeps three channels


LENET_300_100 = [235200, 30000, 1000]
LENET_5 = [500, 25000, 400000, 5000]


@pytest.mark.parametrize(
    "sizes, percents, left, ratio",
    [
        (LENET_300_100, [8, 9, 26], 21776, 12.22),  # Han et al. 2015
        (LENET_5, [66, 12, 8, 19], 36280, 11.87),
        (LENET_300_100, [2.25, 11.93, 69.3], 9564, 27.8),  # Tartaglione et al. 2018
        (LENET_5, [67.6, 11.8, 0.9, 31.0], 8438, 51.0),
        (LENET_300_100, [1.8, 1.8, 5.5], 4829, 55.1),  # Guo et al. 2016
    ],
)
def test_compression_and_memory(sizes, percents, left, ratio):
    nonzero = round(float(np.dot(sizes, percents)) / 100)
    assert nonzero == left
    assert compression(sum(sizes), nonzero) == pytest.approx(ratio, abs=0.05)
    assert memory_footprint(nonzero) == 4 * left


def test_vgg_16_is_compressed_13_times():
    assert round(compression(138e6, 10.3e6), 1) == 13.4
    assert compression(10, 0) == float("inf")


def test_dense_layers_keep_everything():
    assert mac_density([3, 5], [1, 1], [1, 1]) == 1.0
    assert activation_density([7], [1]) == 1.0


@pytest.mark.parametrize(
    "call",
    [
        lambda: mac_density([1, 2], [1.0], [1.0]),
        lambda: mac_density([1], [1.2], [1.0]),
        lambda: activation_density([1], [-0.1]),
        lambda: activation_density([], []),
        lambda: training_complexity([1], [0]),
        lambda: convolution_costs([1, 2], [1]),
        lambda: training_complexity([1, 2], [1]),
    ],
)
def test_bad_numbers_get_a_sentence(call):
    with pytest.raises(ValueError, match="Received: "):
        call()
