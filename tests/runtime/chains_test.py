"""Layers that hand planes to each other give what they give one by one."""

import math

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")
from ai_edge_litert.interpreter import Interpreter

from keras_prune.runtime import native
from keras_prune.runtime.delegate import load_delegate
from tests.runtime.chain_models import SAME, VALID, Images
from tests.runtime.delegate_test import assert_same, claims, delegated, random_input, reference

pytestmark = [
    pytest.mark.skipif(
        not native.library_path().exists(), reason="The compiled library has not been built."
    ),
    pytest.mark.skipif(
        not native.library().spk_has_chains(), reason="This processor has no kernels for chains."
    ),
]


def shape_of(content):
    return tuple(Interpreter(model_content=content).get_input_details()[0]["shape"])


def check(content, capfd, links, **options):
    """All `links` nodes run in chains, with the outputs of the reference kernels."""
    x = random_input(shape_of(content), "float32")
    expected = reference(content, x)
    capfd.readouterr()
    outputs = delegated(content, x, chains="always", verbose=True, **options)
    lines = claims(capfd)
    in_chains = [node for node, line in lines.items() if "spk_chain_f32" in line]
    assert len(in_chains) == links, lines
    assert_same(outputs, expected)
    assert_same(delegated(content, x, chains="off"), expected)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (7, 7), (14, 14), (5, 40), (28, 28)])
@pytest.mark.parametrize("rows", [1, 2, 4])
def test_pointwise_convolutions(size, rows, capfd):
    net = Images()
    x = net.source((1, *size, 12))
    for channels in (21, 64, 7):
        x = net.conv2d(x, channels, rows=rows)
    check(net.build(x), capfd, 3)


@pytest.mark.parametrize("kernel, padding", [(3, SAME), (3, VALID), (5, SAME), (2, SAME)])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("form", ["dense", "densify"])
def test_windows(kernel, padding, dilation, form, capfd):
    net = Images()
    x = net.source((1, 13, 17, 8))
    x = net.conv2d(x, 19, kernel, padding=padding, dilation=dilation, form=form)
    x = net.conv2d(x, 24, 1, form=form)
    x = net.conv2d(x, 10, kernel, padding=padding, dilation=dilation, form=form)
    check(net.build(x), capfd, 3)


@pytest.mark.parametrize("groups", [2, 4, 12])
@pytest.mark.parametrize("form", ["dense", "densify"])
def test_grouped_bottlenecks(groups, form, capfd):
    net = Images()
    source = x = net.source((1, 9, 10, 24))
    x = net.conv2d(x, 12, form=form)
    x = net.conv2d(x, 24, 3, groups=groups, rows=2, form=form)
    x = net.conv2d(x, 24, groups=groups, rows=1, form=form)
    check(net.build(net.add(x, source)), capfd, 4)


@pytest.mark.parametrize("activation", [0, 1, 2, 3])
def test_residual_blocks(activation, capfd):
    net = Images()
    x = net.conv2d(net.source((1, 9, 11, 16)), 32)
    for _ in range(2):
        y = net.conv2d(net.conv2d(x, 32, 3), 32, 3, activation=0)
        x = net.add(x, y, activation)
    check(net.build(x), capfd, 7)


def test_inverted_residuals(capfd):
    net = Images()
    x = net.conv2d(net.source((1, 14, 14, 8)), 16, activation=0)
    for kernel in (3, 5):
        y = net.conv2d(x, 48, activation=0)
        y = net.depthwise(net.unary("HARD_SWISH", y), kernel)
        x = net.add(x, net.conv2d(y, 16, activation=0))
    check(net.build(x), capfd, 11)


@pytest.mark.parametrize("dilation, padding", [(1, SAME), (2, SAME), (1, VALID)])
def test_depthwise(dilation, padding, capfd):
    net = Images()
    x = net.conv2d(net.source((1, 12, 10, 5)), 9)
    x = net.depthwise(x, 3, dilation=dilation, padding=padding, activation=0)
    check(net.build(x), capfd, 2)


@pytest.mark.parametrize("name", ["RELU", "RELU6", "RELU_N1_TO_1", "HARD_SWISH"])
def test_activations(name, capfd):
    net = Images()
    x = net.unary(name, net.conv2d(net.source((1, 6, 6, 8)), 12, activation=0))
    check(net.build(net.mul(x, x)), capfd, 3)


def test_values_that_are_read_inside_and_outside(capfd):
    net = Images()
    first = net.conv2d(net.source((1, 10, 10, 8)), 16)
    second = net.conv2d(first, 16, 3)
    third = net.add(first, second)
    check(net.build(third, first, second), capfd, 3)


@pytest.mark.parametrize("dtype", ["float32", "int8"])
@pytest.mark.parametrize("chains", ["always", "off"])
def test_layers_that_nobody_reads(dtype, chains):
    net = Images(dtype=dtype)
    x = net.source((1, 8, 8, 16))
    net.conv2d(x, 8)
    net.conv2d(net.conv2d(x, 8), 12)
    content = net.build(net.conv2d(x, 8))
    x = random_input((1, 8, 8, 16), dtype)
    assert_same(delegated(content, x, chains=chains), reference(content, x))


def test_two_inputs(capfd):
    net = Images()
    a, b = net.source((1, 8, 8, 16)), net.source((1, 8, 8, 16))
    content = net.build(net.conv2d(net.add(net.conv2d(a, 16, 3), b), 8))
    delegate = load_delegate(runtime="litert", chains="always", min_sparsity=0, verbose=True)
    runs = [
        Interpreter(model_content=content, experimental_delegates=[delegate]),
        Interpreter(model_content=content),
    ]
    assert sum("spk_chain" in line for line in claims(capfd).values()) == 3
    outputs = []
    for interpreter in runs:
        interpreter.allocate_tensors()
        for seed, source in enumerate(interpreter.get_input_details()):
            x = random_input(tuple(source["shape"]), "float32", seed)
            interpreter.set_tensor(source["index"], x)
        interpreter.invoke()
        outputs.append(
            [interpreter.get_tensor(d["index"]) for d in interpreter.get_output_details()]
        )
    assert_same(*outputs)


def test_strides_cut_chains(capfd):
    net = Images()
    x = net.conv2d(net.conv2d(net.source((1, 16, 16, 8)), 16), 16, 3)
    x = net.conv2d(x, 16, 3, stride=2)
    x = net.conv2d(net.conv2d(x, 16), 16, 3)
    check(net.build(x), capfd, 4)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_resized_batches_and_threads(threads, capfd):
    net = Images()
    x = net.conv2d(net.source((1, 20, 22, 16)), 64)
    y = net.conv2d(x, 64, 3)
    content = net.build(net.conv2d(net.add(x, y), 32))
    delegate = load_delegate(runtime="litert", chains="always", min_sparsity=0, num_threads=threads)
    interpreter = Interpreter(model_content=content, experimental_delegates=[delegate])
    source = interpreter.get_input_details()[0]["index"]
    for shape in ((1, 20, 22, 16), (3, 20, 22, 16), (2, 9, 31, 16), (1, 20, 22, 16)):
        x = random_input(shape, "float32", seed=sum(shape))
        interpreter.resize_tensor_input(source, shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(source, x)
        for _ in range(2):
            interpreter.invoke()
            output = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
            assert_same([output], reference(content, x))


def test_wide_layers_become_chains_by_themselves(capfd):
    net = Images()
    x = net.source((1, 28, 28, 128))
    for channels in (256, 128, 256):
        x = net.conv2d(x, channels, zeros=0.9)
    delegate = load_delegate(runtime="litert", verbose=True)
    Interpreter(model_content=net.build(x), experimental_delegates=[delegate])
    assert sum("spk_chain" in line for line in claims(capfd).values()) == 3


def test_dense_layers_stay_with_the_interpreter(capfd):
    net = Images()
    x = net.source((1, 14, 14, 64))
    for _ in range(3):
        x = net.conv2d(x, 64, zeros=0)
    delegate = load_delegate(runtime="litert", verbose=True)
    Interpreter(model_content=net.build(x), experimental_delegates=[delegate])
    assert not any("claimed" in line for line in claims(capfd).values())


def test_random_networks(capfd):
    for seed in range(25):
        random = np.random.default_rng(seed)
        net = Images(seed)
        shape = (int(random.integers(1, 3)), *random.integers(3, 20, 2).tolist(), 8)
        values = [net.source(shape)]
        for _ in range(random.integers(2, 9)):
            x = values[random.integers(max(0, len(values) - 3), len(values))]
            kind, act = random.integers(5), int(random.integers(4))
            channels = int(random.choice([4, 8, 13]))
            groups = math.gcd(channels, net.shapes[x][3], int(random.choice([1, 2, 4])))
            if kind == 0:
                rows = int(random.choice([1, 2, 4]))
                x = net.conv2d(x, channels, rows=rows, activation=act, groups=groups)
            elif kind == 1:
                x = net.conv2d(x, channels, 3, activation=act, groups=groups)
            elif kind == 2:
                x = net.depthwise(x, int(random.choice([1, 3, 5])), activation=act)
            elif kind == 3:
                same = [v for v in values if net.shapes[v] == net.shapes[x]]
                x = net.add(x, same[random.integers(len(same))], act)
            else:
                x = net.unary(str(random.choice(["RELU", "HARD_SWISH"])), x)
            values.append(x)
        content = net.build(*{values[-1], values[random.integers(1, len(values))]})
        x = random_input(shape, "float32", seed)
        options = {"num_threads": 1 + seed % 3}
        assert_same(delegated(content, x, chains="always", **options), reference(content, x))
