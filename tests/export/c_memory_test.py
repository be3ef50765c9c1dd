from hypothesis import given
from hypothesis import strategies as st

from keras_prune.export.c.memory import ALIGNMENT, Buffer, place

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
    assert place(buffers) <= sum(-(-each.size // ALIGNMENT) * ALIGNMENT for each in buffers)


def test_buffers_that_never_meet_share_memory():
    buffers = [Buffer(64, 0, 1), Buffer(64, 2, 3), Buffer(32, 1, 2)]
    assert place(buffers) == 96
    assert [each.offset for each in buffers] == [0, 0, 64]


def test_a_small_buffer_goes_into_a_gap():
    buffers = [Buffer(100, 0, 5), Buffer(60, 0, 1), Buffer(48, 2, 5), Buffer(16, 0, 0)]
    assert place(buffers) == 112 + 64 + 16
    assert buffers[3].offset == 176


def test_nothing_needs_no_arena():
    assert place([]) == 0
