"""int8 layers that hand planes to each other give what they give one by one, to the bit."""

import numpy as np
import pytest

pytest.importorskip("ai_edge_litert")
from ai_edge_litert.interpreter import Interpreter

from keras_prune.runtime import native
from keras_prune.runtime.delegate import load_delegate
from tests.runtime.chain_models import SAME, VALID, Images
from tests.runtime.chains_test import shape_of
from tests.runtime.delegate_test import assert_same, claims, delegated, random_input, reference

pytestmark = [
    pytest.mark.skipif(
        not native.library_path().exists(), reason="The compiled library has not been built."
    ),
    pytest.mark.skipif(
        not native.library().spk_has_s8_chains(),
        reason="This processor has no kernels for chains of int8.",
    ),
]
ISAS = ["avx2", "avxvnni", "avx512vnni", "avx512vbmi"]


@pytest.fixture(params=ISAS, autouse=True)
def isa(request):
    """The instruction set that chains are made for, as on a processor that has no better one."""
    library = native.library()
    if not getattr(library, f"spk_has_{request.param}")():
        pytest.skip(f"This processor has no {request.param}.")
    library.spk_use_isa(b"" if request.param == ISAS[-1] else request.param.encode())
    yield request.param
    library.spk_use_isa(b"")


def check(content, capfd, links, **options):
    """`links` nodes run in chains, and all give the outputs of the reference kernels."""
    x = random_input(shape_of(content), "int8")
    expected = reference(content, x)
    assert all(len(np.unique(each)) > 1 for each in expected)  # else nothing is compared
    capfd.readouterr()
    outputs = delegated(content, x, chains="always", verbose=True, **options)
    lines = claims(capfd)
    assert sum("spk_chain_s8" in line for line in lines.values()) == links, lines
    assert_same(outputs, expected)
    assert_same(delegated(content, x, chains="off"), expected)


@pytest.mark.parametrize("size", [(1, 1), (2, 3), (7, 7), (14, 14), (5, 40), (28, 28)])
@pytest.mark.parametrize("rows", [1, 2, 4])
def test_pointwise_convolutions(size, rows, capfd):
    net = Images(dtype="int8")
    x = net.source((1, *size, 12))
    for channels in (20, 132, 8):
        x = net.conv2d(x, channels, rows=rows)
    check(net.build(x), capfd, 3)


@pytest.mark.parametrize("padding", [SAME, VALID])
@pytest.mark.parametrize("size", [(3, 3), (7, 7), (9, 16), (14, 30), (31, 33), (4, 120)])
@pytest.mark.parametrize("activation", [0, 1, 3])
def test_inverted_residuals(padding, size, activation, capfd):
    net = Images(dtype="int8")
    x = net.conv2d(net.source((2, *size, 8)), 36, activation=activation)
    x = net.depthwise(x, padding=padding, activation=activation)
    check(net.build(net.conv2d(x, 16, activation=0)), capfd, 3)


@pytest.mark.parametrize("padding", [SAME, VALID])
@pytest.mark.parametrize("size", [(3, 3), (4, 4), (7, 8), (15, 29), (16, 66), (31, 33), (4, 131)])
@pytest.mark.parametrize("activation", [0, 1])
def test_stride_2(padding, size, activation, capfd):
    net = Images(dtype="int8")
    x = net.conv2d(net.source((2, *size, 8)), 36, activation=activation)
    x = net.depthwise(x, padding=padding, activation=activation, stride=2)
    check(net.build(net.conv2d(x, 16, activation=0)), capfd, 3)


def test_blocks_of_falling_sizes(capfd):
    net = Images(dtype="int8", strange=0.05)
    x = net.source((1, 37, 53, 8))
    for stride in (1, 2, 1, 2, 2):
        x = net.conv2d(net.depthwise(net.conv2d(x, 40), stride=stride), 16, activation=0)
    check(net.build(x), capfd, 15)


@pytest.mark.parametrize("size", [(1, 1), (7, 7), (9, 16), (31, 33)])
@pytest.mark.parametrize("activation", [0, 1])
def test_sums(size, activation, capfd):
    net = Images(dtype="int8")
    x = net.conv2d(net.source((2, *size, 8)), 20, activation=0)
    for _ in range(2):
        y = net.depthwise(net.conv2d(x, 36))
        x = net.add(x, net.conv2d(y, 20, activation=0), activation)
    check(net.build(x), capfd, 9)


def test_sums_of_one_value_and_of_what_enters(capfd):
    net = Images(dtype="int8")
    source = net.source((1, 6, 10, 12))
    x = net.add(net.conv2d(source, 12), source)
    x = net.add(x, x)
    check(net.build(net.conv2d(x, 8), x), capfd, 4)


@pytest.mark.parametrize("scale", [0.005, 0.1, 1.0, 100.0])
def test_sums_of_any_scale(scale, capfd):
    for seed in range(8):
        net = Images(seed, dtype="int8")
        x = net.conv2d(net.source((1, 8, 12, 16)), 16, activation=0)
        y = net.conv2d(x, 16, activation=0)
        x = net.add(x, y, seed % 4, scale=scale * net.random.uniform(0.5, 1.0))
        content = net.build(net.conv2d(x, 8), x)
        x = random_input(shape_of(content), "int8")
        capfd.readouterr()
        outputs = delegated(content, x, chains="always", verbose=True)
        lines = claims(capfd).values()
        assert sum("spk_chain_s8 add" in line for line in lines) == 1
        assert_same(outputs, reference(content, x))


def test_sums_with_ties_are_left(capfd):
    # (a + b) / 2 is rounded away from zero, which no sum that is shifted is.
    net = Images(dtype="int8")
    x = net.source((1, 5, 5, 8))
    net.scales[x] = 0.05
    y = net.conv2d(x, 8)
    content = net.build(net.conv2d(net.add(x, x, scale=0.1), 8), y)
    x = random_input(shape_of(content), "int8")
    outputs = delegated(content, x, chains="always", verbose=True)
    assert not any("add" in line for line in claims(capfd).values())
    assert_same(outputs, reference(content, x))


@pytest.mark.parametrize("form", ["dense", "densify"])
def test_depthwise_separable_layers(form, capfd):
    net = Images(dtype="int8")
    x = net.source((1, 25, 5, 16))
    for _ in range(3):
        x = net.conv2d(net.depthwise(x), 64, form=form)
    check(net.build(x), capfd, 6)


@pytest.mark.parametrize("activation", [0, 1])
def test_any_scale(activation, capfd):
    for seed in range(6):
        net = Images(seed, dtype="int8", strange=0.3)
        x = net.conv2d(net.source((1, 9, 11, 16)), 48, activation=activation)
        x = net.conv2d(net.depthwise(x, activation=activation), 24, activation=activation)
        check(net.build(x), capfd, 3)


def test_values_that_are_read_inside_and_outside(capfd):
    net = Images(dtype="int8")
    first = net.conv2d(net.source((1, 10, 10, 8)), 16)
    second = net.depthwise(first)
    third = net.conv2d(second, 12)
    check(net.build(third, first, second), capfd, 3)


def test_what_is_no_link_cuts_chains(capfd):
    net = Images(dtype="int8")
    x = net.conv2d(net.conv2d(net.source((1, 16, 16, 8)), 16), 16)
    x = net.conv2d(x, 16, 7)  # too large a window
    x = net.conv2d(net.conv2d(x, 24), 18)  # no multiple of four
    x = net.conv2d(net.depthwise(x, 5), 8)
    check(net.build(x), capfd, 2)


@pytest.mark.parametrize("padding", [SAME, VALID])
@pytest.mark.parametrize(
    ("kernel", "stride", "channels"),
    [
        *((3, 2, 3), (3, 1, 1), (3, 2, 4), (3, 1, 11), (1, 2, 3)),
        *((1, 2, 8), (2, 3, 11), (5, 2, 9), (7, 1, 4), (7, 2, 3)),
    ],
)
def test_chains_begin_with_any_window(padding, kernel, stride, channels, capfd):
    for size in (7, 7), (9, 40), (37, 11), (7, 123):
        net = Images(dtype="int8")
        source = net.source((2, *size, channels))
        x = net.conv2d(source, 20, kernel, padding=padding, stride=stride, rows=2)
        x = net.conv2d(net.depthwise(x), 16, activation=0)
        check(net.build(x), capfd, 3)


def test_windows_with_holes_begin_chains_where_their_rows_have_none(capfd):
    for dilation, links in ((1, 2), (2, 0)):
        net = Images(dtype="int8")
        x = net.conv2d(net.source((1, 12, 17, 3)), 16, 3, dilation=dilation)
        check(net.build(net.conv2d(x, 8)), capfd, links)


def test_windows_in_the_middle_begin_a_new_chain(capfd):
    net = Images(dtype="int8")
    x = net.conv2d(net.conv2d(net.source((1, 16, 16, 8)), 16), 16)
    x = net.conv2d(net.conv2d(x, 16, 3), 24)
    content = net.build(x)
    check(content, capfd, 4)
    x = random_input(shape_of(content), "int8")
    delegated(content, x, chains="always", verbose=True)
    assert len(claims(capfd)) == 4


def test_what_windows_read_is_read_by_no_other_link(capfd):
    for window_first in (True, False):
        net = Images(dtype="int8")
        source = net.source((1, 9, 9, 8))
        kernels = (3, 1) if window_first else (1, 3)
        x, y = (net.conv2d(source, 8, kernel, activation=0) for kernel in kernels)
        check(net.build(net.conv2d(net.add(x, y), 8)), capfd, 3)


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_resized_batches_and_threads(threads, capfd):
    net = Images(dtype="int8")
    x = net.conv2d(net.source((1, 20, 22, 16)), 64)
    content = net.build(net.conv2d(net.depthwise(x), 32))
    delegate = load_delegate(runtime="litert", chains="always", min_sparsity=0, num_threads=threads)
    interpreter = Interpreter(model_content=content, experimental_delegates=[delegate])
    source = interpreter.get_input_details()[0]["index"]
    for shape in ((1, 20, 22, 16), (3, 20, 22, 16), (2, 9, 31, 16), (1, 20, 22, 16)):
        x = random_input(shape, "int8", seed=sum(shape))
        interpreter.resize_tensor_input(source, shape)
        interpreter.allocate_tensors()
        interpreter.set_tensor(source, x)
        for _ in range(2):
            interpreter.invoke()
            output = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
            assert_same([output], reference(content, x))


def test_wide_layers_become_chains_by_themselves(capfd):
    net = Images(dtype="int8")
    x = net.source((1, 28, 28, 32))
    for _ in range(2):
        x = net.conv2d(net.depthwise(net.conv2d(x, 192, zeros=0.9)), 32, zeros=0.9)
    delegate = load_delegate(runtime="litert", verbose=True)
    Interpreter(model_content=net.build(x), experimental_delegates=[delegate])
    assert sum("spk_chain_s8" in line for line in claims(capfd).values()) == 6


def test_random_networks(capfd):
    for seed in range(40):
        random = np.random.default_rng(seed)
        net = Images(seed, dtype="int8", strange=0.05)
        size = random.integers(3, 20, 2).tolist()
        shape = (int(random.integers(1, 3)), *size, int(random.choice([3, 8])))
        values = [net.source(shape)]
        for _ in range(random.integers(2, 9)):
            x = values[random.integers(max(0, len(values) - 2), len(values))]
            kind, activation = random.integers(5), int(random.integers(4))
            same = [value for value in values if net.shapes[value] == net.shapes[x]]
            channels = int(random.choice([4, 8, 13, 68]))
            if kind == 0:
                kernel, stride = int(random.choice([1, 2, 3, 5])), int(random.choice([1, 2]))
                x = net.conv2d(x, channels, kernel, activation=activation, stride=stride)
            elif kind == 1:
                kernel, stride = int(random.choice([3, 3, 5])), int(random.choice([1, 1, 2]))
                x = net.depthwise(x, kernel, activation=activation, stride=stride)
            elif kind == 2:
                x = net.add(x, same[random.integers(len(same))], activation)
            else:
                rows = int(random.choice([1, 2, 4]))
                x = net.conv2d(x, channels, rows=rows, activation=activation)
            values.append(x)
        content = net.build(*{values[-1], values[random.integers(1, len(values))]})
        x = random_input(shape, "int8", seed)
        options = {"num_threads": 1 + seed % 3}
        assert_same(delegated(content, x, chains="always", **options), reference(content, x))
