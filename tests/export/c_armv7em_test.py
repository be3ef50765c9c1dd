"""Convolutions of Arm cores with the DSP extension, compared with LiteRT's reference kernels."""

import numpy as np
import pytest

from keras_prune.export.c import armv7em
from keras_prune.export.c.weighted import _lane_run
from tests.export.c_cases import Cases
from tests.export.c_model_builder import needs_qemu
from tests.export.c_operators_test import convolution


@needs_qemu
@pytest.mark.parametrize(
    ("target", "kind", "sparsity"),
    [
        ("cortex-m4", "CONV_2D", 0.0),
        ("cortex-m4", "CONV_2D", 0.8),
        ("cortex-m7", "CONV_2D", 0.8),
        ("cortex-m33", "CONV_2D", 0.0),
        ("cortex-m4", "DEPTHWISE_CONV_2D", 0.0),
        ("cortex-m33", "DEPTHWISE_CONV_2D", 0.0),
    ],
)
def test_odd_shapes_match_the_reference(tmp_path, target, kind, sparsity):
    cases = Cases(seed=30)
    for scales in ("tensor", "channel") * 10:
        convolution(cases, kind, sparsity, scales, largest=20)
    report = cases.check(tmp_path, target=target)
    suffixes = [layer.kernel.rsplit("__")[1] for layer in report.layers]
    assert suffixes.count("armv7em") >= 18


@needs_qemu
@pytest.mark.parametrize(("target", "m"), [("cortex-m4", 4), ("cortex-m7", 8), ("cortex-m33", 4)])
def test_groups_match_the_reference(tmp_path, target, m):
    cases = Cases(seed=31)
    for scales in ("tensor", "channel") * 6:
        convolution(cases, "CONV_2D", 0.0, scales, largest=20, group=m)
    report = cases.check(tmp_path, target=target)
    encodings = [layer.encoding for layer in report.layers]
    assert encodings.count(f"groups{m}") >= 10
    for layer in report.layers:
        # 2 or 4 bits of place and 8 of weight for m weights, and whole words.
        if layer.encoding == f"groups{m}" and layer.dense_bytes > 64 * 20:
            assert layer.stored_bytes <= 1.4 * (8 + m / 2) / 8 / m * layer.dense_bytes


def test_groups_are_for_tiles_that_stay_aligned():
    window = {
        "in_c": 5, "out_w": 16, "kernel_h": 3, "kernel_w": 3, "stride_h": 1, "dilation_h": 1,
    }  # fmt: skip
    assert not armv7em.takes_groups(window, 4)
    assert armv7em.takes_groups(window | {"in_c": 4}, 4)
    assert armv7em.takes_groups(window | {"stride_h": 3}, 4)


def test_scratch_is_what_the_kernels_use():
    window = {
        "batch": 2, "in_h": 7, "in_w": 9, "in_c": 5, "out_h": 7, "out_w": 9, "out_c": 3,
        "kernel_h": 3, "kernel_w": 3, "stride_h": 1, "stride_w": 1,
        "dilation_h": 1, "dilation_w": 1, "pad_top": 1, "pad_left": 1,
    }  # fmt: skip
    # Three channels, the padding, and a tile; beside it the copies of eight rows of taps.
    assert armv7em.scratch_bytes(window) == 3 * 32 + 16 + 3 * 15 * 16 + 8 * 15
    # In strips there are no copies, and the tile has room for three rows more.
    window |= {"in_w": 16, "out_w": 16}
    assert armv7em.scratch_bytes(window) == 3 * 32 + 16 + 6 * 15 * 16


@pytest.mark.parametrize("encoding", ["dense", "stream"])
@pytest.mark.parametrize("offset", [-127, 0, 3, 128])
def test_no_run_leaves_its_lane(encoding, offset):
    rng = np.random.default_rng(32)
    for scale in (20, 127):
        matrix = rng.integers(-scale, scale + 1, (4, 900)).astype(np.int8)
        run = _lane_run(matrix, encoding, offset)
        assert run > 64
        products = matrix[None] * np.array([offset - 128, offset + 127])[:, None, None]
        for reach in (products.max(axis=0), -products.min(axis=0)):
            if encoding == "stream":  # any weights may be neighbours there
                reach = -np.sort(-reach, axis=1)
            sums = np.pad(reach.cumsum(axis=1), ((0, 0), (1, 0)))
            assert (sums[:, run:] - sums[:, :-run]).max() < 1 << 21


def test_a_run_without_knowledge_of_weights_is_64():
    worst = np.full((1, 900), -128, np.int8)
    assert _lane_run(worst, "dense", 128) == 64
    assert 64 * 128 * 255 < 1 << 21
