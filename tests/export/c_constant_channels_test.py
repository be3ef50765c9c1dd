"""Channels of which pruning has left no weights, with the tiny scales that converters give them."""

import dataclasses

import numpy as np
import pytest

from keras_prune.export.c.constant_channels import rescale_constant_channels
from keras_prune.export.c.graph import read_graph
from tests.export.c_cases import Cases
from tests.export.c_model_builder import needs_qemu, random_int8

# Kind, shape of the input and of the weights, axis of the channels, shape of the output.
LAYERS = [
    ("FULLY_CONNECTED", (1, 40), (9, 40), 0, (1, 9)),
    ("FULLY_CONNECTED", (3, 21), (70, 21), 0, (3, 70)),
    ("CONV_2D", (1, 5, 6, 8), (9, 1, 1, 8), 0, (1, 5, 6, 9)),
    ("CONV_2D", (1, 5, 6, 3), (6, 3, 3, 3), 0, (1, 3, 4, 6)),
    ("DEPTHWISE_CONV_2D", (1, 5, 6, 8), (1, 3, 3, 8), 3, (1, 3, 4, 8)),
]


def add_layer(cases, kind, source, shape, axis, result, tiny, reach=3000):
    """Add a layer of which every third channel is empty, with a scale of `tiny`."""
    rng, model, channels = cases.rng, cases.model, shape[axis]
    weights, scales = random_int8(rng, shape), rng.uniform(0.001, 0.02, channels)
    empty = np.arange(channels) % 3 == 1
    np.moveaxis(weights, axis, 0)[empty] = 0
    scales[empty] = tiny
    bias = rng.integers(-reach, reach, channels)
    # What a converter stores is the bias in units of the tiny scale.
    bias[empty] = np.clip(rng.uniform(-60, 60, empty.sum()) / (0.05 * tiny), -(2**31), 2**31 - 1)
    bias[empty] = np.where(rng.random(empty.sum()) < 0.3, 0, bias[empty])
    inputs = [cases.input(source, 0.05, cases.zero_point())]
    inputs.append(model.tensor(shape, scales, 0, weights, axis=axis))
    if kind != "FULLY_CONNECTED" or rng.random() < 0.8:
        inputs.append(model.tensor((channels,), 0.001, 0, bias, "int32"))
    options = {"fusedActivationFunction": int(rng.choice([0, 1, 3]))}
    if kind != "FULLY_CONNECTED":
        options |= {"padding": 1, "strideH": 1, "strideW": 1}
        options |= {"dilationHFactor": 1, "dilationWFactor": 1}
    if kind == "DEPTHWISE_CONV_2D":
        options["depthMultiplier"] = 1
    cases.output(kind, inputs, result, 0.37, cases.zero_point(), **options)


@pytest.mark.parametrize(
    "target", ["host", *(pytest.param(f"cortex-m{n}", marks=needs_qemu) for n in (0, 4))]
)
def test_empty_channels_give_what_the_reference_gives(tmp_path, target):
    cases = Cases(seed=31)
    for tiny in (1e-3, 1e-7, 1e-9, 1e-12, 1e-20):
        for layer in LAYERS:
            add_layer(cases, *layer, tiny)
    cases.check(tmp_path, target=target)


@pytest.mark.parametrize("layer", LAYERS)
def test_they_get_the_largest_scale_of_the_others(tmp_path, layer):
    cases = Cases(seed=32)
    add_layer(cases, *layer, 1e-9)
    path = cases.model.save(tmp_path / "model.tflite", cases.inputs, cases.outputs)
    (node,) = read_graph(path).nodes
    changed = rescale_constant_channels(node)
    before, after = node.inputs[1].scales, changed.inputs[1].scales
    empty = np.arange(before.size) % 3 == 1
    np.testing.assert_array_equal(after[~empty], before[~empty])
    assert set(after[empty]) == {before[~empty].max()}
    assert rescale_constant_channels(changed).inputs[1].scales.tolist() == after.tolist()


def test_what_is_not_such_a_layer_stays(tmp_path):
    cases = Cases(seed=33)
    add_layer(cases, *LAYERS[0], 1e-9)
    path = cases.model.save(tmp_path / "model.tflite", cases.inputs, cases.outputs)
    (node,) = read_graph(path).nodes
    source, weights, *rest = node.inputs

    def stays(**fields):
        other = dataclasses.replace(node, **fields)
        return rescale_constant_channels(other) is other

    full = dataclasses.replace(weights, data=np.ones_like(weights.data))
    assert stays(inputs=[source, full, *rest])
    none = dataclasses.replace(weights, data=np.zeros_like(weights.data))
    assert stays(inputs=[source, none, *rest])
    one = dataclasses.replace(weights, scales=weights.scales[:1])
    assert stays(inputs=[source, one, *rest])
    wide = dataclasses.replace(source, type="INT16")
    assert stays(inputs=[wide, weights, *rest])
    assert stays(inputs=[None, weights, *rest])
    assert stays(kind="ADD")
