import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_prune.export.c.graph import Graph, Tensor, read_graph
from keras_prune.export.c.lowering import lower
from keras_prune.export.c.memory import ALIGNMENT, Buffer, lower_bound, place, plan_memory
from keras_prune.export.c.steps import Step
from keras_prune.runtime.c_targets import find_target

_buffers = st.lists(
    st.builds(
        lambda size, first, length: Buffer(size, first, first + length),
        st.integers(1, 500),
        st.integers(-1, 20),
        st.integers(0, 8),
    ),
    max_size=30,
)


@given(_buffers)
def test_no_two_live_buffers_overlap(buffers):
    arena = place(buffers)
    for at, buffer in enumerate(buffers):
        assert buffer.offset >= 0
        assert buffer.offset % ALIGNMENT == 0
        assert buffer.offset + buffer.size <= arena
        for other in buffers[:at]:
            apart = (
                buffer.offset + buffer.size <= other.offset
                or other.offset + other.size <= buffer.offset
            )
            assert apart or not buffer.overlaps_in_time(other)


@given(_buffers)
def test_the_arena_is_no_larger_than_all_buffers_side_by_side(buffers):
    arena = place(buffers)
    assert arena <= sum(-(-each.size // ALIGNMENT) * ALIGNMENT for each in buffers)
    assert arena >= lower_bound(buffers)


def test_buffers_that_never_meet_share_memory():
    buffers = [Buffer(64, 0, 1), Buffer(64, 2, 3), Buffer(32, 1, 2)]
    assert place(buffers) == 96
    assert [each.offset for each in buffers] == [0, 0, 64]


def test_a_small_buffer_goes_into_a_gap():
    buffers = [Buffer(112, 0, 5), Buffer(64, 0, 1), Buffer(48, 2, 5), Buffer(16, 0, 0)]
    assert place(buffers) == 112 + 64 + 16
    assert buffers[3].offset == 176


def test_nothing_needs_no_arena():
    assert place([]) == 0


def test_an_order_is_found_that_the_largest_first_misses():
    buffers = [Buffer(64, 2, 2), Buffer(64, 4, 5), Buffer(48, 3, 5), Buffer(16, 1, 3)]
    assert place(buffers) == lower_bound(buffers) == 112


@pytest.mark.parametrize("model", ["ad01", "ic_resnet8", "kws_dscnn", "vww_mobilenet"])
def test_arenas_of_real_models_are_within_five_percent_of_the_bound(model, data_dir, monkeypatch):
    seen = []
    original = place
    monkeypatch.setattr(
        "keras_prune.export.c.memory.place",
        lambda buffers: seen.append(lower_bound(buffers)) or original(buffers),
    )
    graph = read_graph(data_dir / "models" / f"mlperf_{model}_int8.tflite")
    plan = plan_memory(graph, lower(graph, find_target("cortex-m4")))
    assert plan.arena_bytes <= 1.05 * seen[0]


def tensors(*sizes):
    nothing = np.zeros(0)
    return [
        Tensor(index, "", (size,), "INT8", nothing, nothing, 0, None)
        for index, size in enumerate(sizes)
    ]


def step(index, inputs, output, overwrites=()):
    return Step(index, "ANY", inputs, output, "kernel", overwrites=tuple(overwrites))


def test_an_output_takes_the_memory_of_an_input_that_dies():
    a, b, c = tensors(64, 64, 64)
    plan = plan_memory(Graph([a], [c], []), [step(0, [a], b, [a]), step(1, [b], c, [b])])
    assert plan.arena_bytes == 64


def test_an_output_takes_no_memory_that_is_still_read_or_is_too_small():
    a, b, c, small = tensors(64, 64, 64, 32)
    steps = [step(0, [a], b, [a]), step(1, [a, b], c, [a, b])]
    read_later = plan_memory(Graph([a], [c], []), steps)
    assert read_later.arena_bytes == 128
    d = tensors(0, 0, 0, 0, 64)[4]
    grown = plan_memory(Graph([small], [d], []), [step(0, [small], d, [small])])
    assert grown.arena_bytes == 96
    kept = plan_memory(Graph([a], [a, b], []), steps[:1])
    assert kept.arena_bytes == 128


def test_an_alias_that_is_read_later_keeps_its_memory():
    a, b, c, d = tensors(64, 64, 64, 64)
    alias = Step(0, "RESHAPE", [a], b)
    steps = [alias, step(1, [a], c, [a]), step(2, [b, c], d, [b])]
    assert plan_memory(Graph([a], [d], []), steps).arena_bytes == 128
